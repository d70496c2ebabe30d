// What is said of a track: by group [[frame, answer], …] by frame; an answer holds from its frame to the next one.
// Every function gives a new track and leaves the old one as it was, so that undoing is taking the old one again.
// An answer is a list of action ids (empty: none of these) or CANNOT_TELL.
import { lastIndex, living } from "./boxes.js";

export const CANNOT_TELL = "cannot tell";

const same = (a, b) => a === b || (Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((v, i) => v === b[i]));
const changesOf = (track, group) => track.said[group] || [];

export function answerAt(track, group, frame) {
  const changes = changesOf(track, group), found = changes[lastIndex(changes, Math.max(frame, track.keys[0][0]))];
  return found && found[1];
}

// A change earlier than the track holds from its first frame; a change to what holds already is none.
function withChanges(track, group, changes) {
  const first = track.keys[0][0], kept = [];
  for (const [frame, answer] of [...changes].sort((a, b) => a[0] - b[0])) {
    const at = Math.max(frame, first), last = kept[kept.length - 1];
    if (last && last[0] === at) kept.pop();
    const before = kept[kept.length - 1];
    if (!before || !same(before[1], answer)) kept.push([at, answer]);
  }
  const said = { ...track.said };
  if (kept.length) said[group] = kept; else delete said[group];
  return { ...track, said };
}

// From this frame until the next change.
export function say(track, group, frame, answer) {
  const at = Math.max(frame, track.keys[0][0]);
  return withChanges(track, group, [...changesOf(track, group).filter(c => c[0] !== at), [at, answer]]);
}

export function sayWhole(track, group, answer) { return withChanges(track, group, [[track.keys[0][0], answer]]); }

// From `frame` to before `until`, then as before. What was not answered before cannot end: then it holds on.
export function sayBetween(track, group, frame, until, answer) {
  const at = Math.max(frame, track.keys[0][0]), after = answerAt(track, group, until);
  const outside = changesOf(track, group).filter(c => c[0] < at || c[0] > until);
  const back = after === undefined ? [] : [[until, after]];
  return withChanges(track, group, [...outside, [at, answer], ...back]);
}

// The stretch that holds at this frame is taken off: the one before it holds on.
export function takeOff(track, group, frame) {
  const changes = changesOf(track, group), n = lastIndex(changes, Math.max(frame, track.keys[0][0]));
  return n < 0 ? track : withChanges(track, group, changes.filter((_, i) => i !== n));
}

export function beginsAt(track, group, frame) {
  const at = Math.max(frame, track.keys[0][0]);
  return changesOf(track, group).some(c => c[0] === at);
}

// The answer of a group after the key of an action was pressed: null takes the stretch off, undefined is refused.
export function pressed(track, group, action, frame) {
  const now = answerAt(track, group.name, frame), ids = Array.isArray(now) ? now : [];
  if (group.kind === "exclusive") return ids.includes(action) ? null : [action];
  if (!ids.includes(action)) return ids.length < group.most ? [...ids, action].sort((a, b) => a - b) : undefined;
  const left = ids.filter(id => id !== action);
  return left.length || !beginsAt(track, group.name, frame) ? left : null;
}

// The same with Shift, over the whole track: only what holds throughout already is taken off.
export function pressedWhole(track, group, action, frame) {
  const now = answerAt(track, group.name, frame), changes = changesOf(track, group.name);
  if (!Array.isArray(now) || !now.includes(action)) return pressed(track, group, action, frame);
  if (changes.length > 1 || changes[0][0] > track.keys[0][0]) return now;
  const left = now.filter(id => id !== action);
  return left.length ? left : null;
}

// The first second at which the person is seen and a group says nothing; [] where all is answered.
export function unsetOf(track, groups, clip) {
  const seen = living(track.keys, clip), found = [];
  for (const group of groups) {
    const changes = changesOf(track, group.name), from = changes.length ? Math.max(changes[0][0], track.keys[0][0]) : Infinity;
    const open = seen.filter(s => Math.max(s * clip.fps, track.keys[0][0]) < from);
    if (open.length) found.push({ group: group.name, second: open[0], count: open.length });
  }
  return found;
}

// The second from which something counts that begins or ends at a frame: labels are of whole seconds.
export function secondAfter(frame, fps) { return Math.ceil(frame / fps); }
