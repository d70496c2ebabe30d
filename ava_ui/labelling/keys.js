// Which key says which action. An action has the ontology's key, or one that the person gave it, or the next one that
// is free; those beyond are found by typing. Letters and digits are the actions'; all else is the page's.
export const POOL = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

const STRIDE = 5; // seconds, of PageUp and PageDown

export const MOVES = "Space play · ←/→ second · Shift ←/→ frame · PageUp/PageDown 5 s · [ ] speed";

// What a key does to a clip that plays (player.js), the same on every page; undefined where it is none of these.
export function moving(event, player) {
  const along = n => event.shiftKey ? player.byFrames(n) : player.bySeconds(n);
  return {
    " ": () => player.toggle(), ArrowLeft: () => along(-1), ArrowRight: () => along(1), PageUp: () => player.bySeconds(-STRIDE),
    PageDown: () => player.bySeconds(STRIDE), "[": () => player.faster(.5), "]": () => player.faster(2),
  }[event.key];
}

// Whether a key belongs to what has the focus: a field somebody types in, a dialog, a button that is pressed by it.
export function belongsElsewhere(event) {
  if (event.target.closest("input, textarea, select, [contenteditable], .q-dialog")) return true;
  return Boolean(event.target.closest("button, a")) && (event.key === "Enter" || event.key === " ") && !event.ctrlKey && !event.metaKey;
}

export const COMMANDS = [
  ["ArrowLeft / ArrowRight", "one second back or forward"], ["Shift ArrowLeft / ArrowRight", "one frame back or forward"],
  ["PageUp / PageDown", "five seconds back or forward"],
  ["Space", "play or pause"], ["[ and ]", "slower or faster"], ["Tab / Shift Tab", "next or previous person with something unset"],
  ["ArrowUp / ArrowDown", "previous or next person"], ["Enter", "next unfinished person"], [".", "copy the previous second"],
  ["Shift + an action's key", "for the person's whole track"], ["Alt + an action's key", "at this second only"],
  ["/", "find an action by its name"], ["-", "none of these, in the group used last"], ["*", "cannot tell, in the group used last"],
  ["!", "cannot tell, for everything unset of this person"],
  ["Insert or +", "draw a new person"], ["Delete", "not a person"], ["End", "the person leaves the picture here, or returns"],
  ["\\", "split: from here it is another person"], ["=", "join with another person"], ["Backspace", "restore the tracker's boxes"],
  ["`", "live mode: hold an action's key while the clip plays"], ["Ctrl Z / Ctrl Y", "undo or redo"],
  ["Ctrl Enter", "finish the job"], ["Ctrl Shift Enter", "finish it and open the next"], ["?", "this list"], ["Escape", "close, or stop drawing; then Tab moves to the buttons"],
];

export function assigned(groups, own = {}) {
  const keys = {}, taken = new Set(), actions = groups.flatMap(g => g.actions);
  const give = (action, key) => {
    if (key && key.length === 1 && POOL.includes(key) && !taken.has(key) && !(action.id in keys)) { keys[action.id] = key; taken.add(key); }
  };
  for (const action of actions) give(action, own[action.id]);
  for (const action of actions) give(action, action.hotkey);
  for (const action of actions) give(action, [...POOL].find(key => !taken.has(key)));
  return keys;
}

// The action of a pressed key, and over what. Shift means the whole track where the capital is nobody's key.
export function meant(event, byKey) {
  const code = /^(Key|Digit)(.)$/.exec(event.code || ""), plain = event.key.length === 1 ? event.key : "";
  if (byKey[plain] !== undefined) return { action: byKey[plain], reach: event.altKey ? "second" : "on" };
  const small = code ? (code[1] === "Digit" ? code[2] : code[2].toLowerCase()) : plain.toLowerCase();
  const lower = byKey[plain.toLowerCase()] !== undefined ? plain.toLowerCase() : small;
  if (byKey[lower] === undefined) return null;
  if (event.shiftKey) return { action: byKey[lower], reach: "whole" };
  return event.altKey ? { action: byKey[lower], reach: "second" } : null;
}

// Actions whose name, description or group has every word that was typed, names first.
export function matching(groups, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean), found = [];
  for (const group of groups) for (const action of group.actions) {
    const name = action.name.toLowerCase().replaceAll("_", " ");
    const all = `${name} ${action.description} ${group.name}`.toLowerCase();
    if (words.every(word => all.includes(word))) found.push({ group, action, rank: words.every(w => name.includes(w)) ? (name.startsWith(words[0] || "") ? 0 : 1) : 2 });
  }
  return found.sort((a, b) => a.rank - b.rank);
}
