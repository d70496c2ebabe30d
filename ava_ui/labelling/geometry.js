// What a person does to boxes. Each function gives new tracks; what is said follows a split and a join.
import { boxAt, lastIndex } from "./boxes.js";
import { answerAt, say } from "./said.js";

const withKey = (keys, key) => [...keys.filter(k => k[0] !== key[0]), key].sort((a, b) => a[0] - b[0]);

export function moved(track, frame, box) { return { ...track, keys: withKey(track.keys, [frame, ...box, false]) }; }

export function drawn(key, frame, box) { return { key, seed: "", keys: [[frame, ...box, false]], said: {} }; }

// Out of the picture from this frame on; or back, where it was seen last.
export function leaves(track, frame) {
  const box = boxAt(track.keys, frame);
  if (box) return frame <= track.keys[0][0] ? track : { ...track, keys: [...track.keys.filter(k => k[0] < frame), [frame, ...box, true]] };
  const last = track.keys[lastIndex(track.keys, frame)];
  if (last) return moved(track, frame, last.slice(1, 5));
  const first = track.keys[0];
  return moved(track, frame, first.slice(1, 5));
}

// From this frame on it is somebody else, of whom holds what held.
export function split(track, frame, key) {
  const box = boxAt(track.keys, frame);
  if (!box || frame <= track.keys[0][0]) return null;
  const before = { ...track, keys: [...track.keys.filter(k => k[0] < frame), [frame, ...box, true]], said: {} };
  let after = { key, seed: "", keys: withKey(track.keys.filter(k => k[0] > frame), [frame, ...box, false]), said: {} };
  for (const [group, changes] of Object.entries(track.said)) {
    const early = changes.filter(c => c[0] < frame), late = changes.filter(c => c[0] > frame);
    if (early.length) before.said[group] = early;
    if (late.length) after.said[group] = late;
    const held = answerAt(track, group, frame);
    if (held !== undefined) after = say(after, group, frame, held);
  }
  return [before, after];
}

// Two tracks of one person: the earlier one up to where the later begins. Where the later says nothing, the earlier holds.
export function joined(one, other) {
  const [a, b] = one.keys[0][0] <= other.keys[0][0] ? [one, other] : [other, one];
  const from = b.keys[0][0], said = {};
  for (const group of new Set([...Object.keys(a.said), ...Object.keys(b.said)])) {
    const late = b.said[group], until = late ? Math.max(late[0][0], from) : Infinity;
    said[group] = [...(a.said[group] || []).filter(c => c[0] < until), ...(late || [])];
  }
  return { ...one, seed: a.seed || b.seed, keys: [...a.keys.filter(k => k[0] < from), ...b.keys], said };
}
