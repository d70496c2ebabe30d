// What the page does in the browser without a page: run by `test_logic.py`.
import assert from "node:assert/strict";
import test from "node:test";
import { boxAt, frameAt, living, secondsOn, tidy, timeOf } from "./boxes.js";
import { drawn, joined, leaves, moved, split } from "./geometry.js";
import { History } from "./history.js";
import { Kept } from "./kept.js";
import { assigned, belongsElsewhere, matching, meant, moving } from "./keys.js";
import { Live } from "./live.js";
import { Outbox } from "./outbox.js";
import Player from "./player.js";
import { ActiveTime } from "./time.js";
import { CANNOT_TELL, answerAt, pressed, pressedWhole, say, sayBetween, sayWhole, takeOff, unsetOf } from "./said.js";

const clip = { frames: 300, fps: 30, width: 640, height: 360 };
const pose = { name: "pose", kind: "exclusive", most: 1 }, object = { name: "object", kind: "multi", most: 2 };
const track = (said = {}, first = 0) => Object.freeze({ key: "t1", seed: "1", keys: [[first, 0, 0, 10, 20, false], [120, 100, 0, 110, 20, false], [240, 0, 0, 10, 20, true]], said });

const round = box => box && box.map(side => Math.round(side * 1e6) / 1e6);

test("a track moves in straight lines and is hidden from outside on", () => {
  assert.deepEqual(boxAt(track().keys, 60), [50, 0, 60, 20]);
  assert.equal(boxAt(track().keys, 240), null);
  assert.equal(boxAt(track({}, 31).keys, 30), null);
  assert.deepEqual(living(track({}, 31).keys, clip), [2, 3, 4, 5, 6, 7]);
  assert.deepEqual(tidy([50, 90, -3, 20], clip), [0, 20, 50, 90]);
});

test("a frame's time is within it, and stays in the clip", () => {
  for (const frame of [0, 1, 29, 299]) assert.equal(frameAt(timeOf(frame, clip), clip), frame);
  assert.deepEqual([frameAt(timeOf(-5, clip), clip), frameAt(timeOf(999, clip), clip), frameAt(10, clip)], [0, 299, 299]);
});

test("an answer holds until the next change", () => {
  const t = say(say(track(), "pose", 90, [2]), "pose", 0, [1]);
  assert.deepEqual(t.said.pose, [[0, [1]], [90, [2]]]);
  assert.deepEqual([answerAt(t, "pose", 89), answerAt(t, "pose", 90)], [[1], [2]]);
  assert.deepEqual(say(t, "pose", 60, [2]).said.pose, [[0, [1]], [60, [2]]], "the same again is no change");
  assert.deepEqual(sayWhole(t, "pose", [3]).said.pose, [[0, [3]]]);
  assert.deepEqual(track().said, {}, "what was stays");
});

test("a second before the person is seen means their first frame", () => {
  const t = say(track({}, 45), "pose", 30, [1]);
  assert.deepEqual(t.said.pose, [[45, [1]]]);
  assert.deepEqual(pressed(t, pose, 1, 30), null, "and the same key there takes it off");
});

test("one second alone goes back to what was", () => {
  const t = sayBetween(say(track(), "pose", 0, [1]), "pose", 60, 90, [2]);
  assert.deepEqual(t.said.pose, [[0, [1]], [60, [2]], [90, [1]]]);
  assert.deepEqual(sayBetween(track(), "pose", 60, 90, [2]).said.pose, [[60, [2]]], "nothing to go back to");
  const late = say(say(track(), "pose", 0, [1]), "pose", 150, [3]);
  assert.deepEqual(sayBetween(late, "pose", 60, 90, [2]).said.pose, [[0, [1]], [60, [2]], [90, [1]], [150, [3]]]);
});

test("taking off lets the one before hold on", () => {
  const t = say(say(track(), "pose", 0, [1]), "pose", 90, [2]);
  assert.deepEqual(takeOff(t, "pose", 120).said.pose, [[0, [1]]]);
  assert.deepEqual(takeOff(takeOff(t, "pose", 120), "pose", 120).said, {});
});

test("exclusive actions replace, others toggle up to their number", () => {
  assert.deepEqual(pressed(say(track(), "pose", 0, [1]), pose, 2, 0), [2]);
  assert.equal(pressed(say(track(), "pose", 0, [1]), pose, 1, 60), null);
  const t = say(track(), "object", 0, [4]);
  assert.deepEqual(pressed(t, object, 5, 60), [4, 5]);
  assert.equal(pressed(say(track(), "object", 0, [4, 5]), object, 6, 0), undefined, "a third is refused");
  assert.deepEqual(pressed(t, object, 4, 60), [], "it ends here");
  assert.equal(pressed(t, object, 4, 0), null, "where it began it was a mistake");
  assert.deepEqual(pressed(say(track(), "object", 0, CANNOT_TELL), object, 4, 0), [4]);
});

test("over the whole track a key says before it takes off", () => {
  const changing = say(say(track(), "pose", 0, [1]), "pose", 90, [2]);
  assert.deepEqual(pressedWhole(changing, pose, 1, 0), [1], "it held for three seconds, now throughout");
  assert.deepEqual(pressedWhole(say(track(), "pose", 90, [1]), pose, 1, 120), [1], "nothing was said before");
  assert.equal(pressedWhole(sayWhole(track(), "pose", [1]), pose, 1, 60), null);
  assert.deepEqual(pressedWhole(sayWhole(track(), "object", [4, 5]), object, 5, 60), [4]);
  assert.equal(pressedWhole(sayWhole(track(), "object", [4]), object, 4, 60), null);
  assert.deepEqual(pressedWhole(track(), pose, 3, 60), [3]);
});

test("what is unset is counted where the person is seen", () => {
  assert.deepEqual(unsetOf(say(track(), "pose", 90, [1]), [pose, object], clip), [
    { group: "pose", second: 0, count: 3 }, { group: "object", second: 0, count: 8 }]);
  assert.deepEqual(unsetOf(say(track({}, 31), "pose", 60, [1]), [pose], clip), []);
  assert.deepEqual(unsetOf(sayWhole(track(), "pose", CANNOT_TELL), [pose], clip), [], "cannot tell is an answer");
});

test("a split keeps all answers and boxes, a join brings them together again", () => {
  const t = say(say(track(), "pose", 0, [1]), "pose", 90, [2]);
  const [a, b] = split(t, 60, "n1");
  assert.deepEqual([answerAt(a, "pose", 59), answerAt(b, "pose", 60), answerAt(b, "pose", 90)], [[1], [1], [2]]);
  for (const frame of [0, 30, 60, 119, 239]) assert.deepEqual(round(boxAt(a.keys, frame) || boxAt(b.keys, frame)), round(boxAt(t.keys, frame)));
  assert.equal(boxAt(a.keys, 60), null);
  assert.equal(boxAt(b.keys, 59), null);
  assert.equal(b.seed, "");
  const again = joined(b, a);
  for (const frame of [0, 30, 60, 90, 239]) {
    assert.deepEqual(round(boxAt(again.keys, frame)), round(boxAt(t.keys, frame)));
    assert.deepEqual(answerAt(again, "pose", frame), answerAt(t, "pose", frame));
  }
  assert.equal(again.seed, "1");
  assert.equal(split(t, 0, "n"), null);
  assert.equal(split(t, 250, "n"), null, "nobody is there");
});

test("boxes are drawn, moved, left and come back without a word said", () => {
  assert.deepEqual(drawn("n", 33, [1, 2, 3, 4]), { key: "n", seed: "", keys: [[33, 1, 2, 3, 4, false]], said: {} });
  assert.deepEqual(boxAt(moved(track(), 60, [7, 7, 9, 9]).keys, 60), [7, 7, 9, 9]);
  const gone = leaves(track(), 60);
  assert.equal(boxAt(gone.keys, 100), null);
  assert.deepEqual(boxAt(leaves(gone, 90).keys, 100), [50, 0, 60, 20]);
});

test("everything can be undone and done again", () => {
  const h = new History([track()]);
  for (let n = 1; n <= 500; n++) h.replace(say(h.tracks[0], "pose", (n % 10) * 30, [n]), { frame: n });
  const last = h.tracks;
  for (let n = 500; n; n--) assert.equal(h.undo().frame, n);
  assert.deepEqual(h.tracks[0].said, {});
  assert.equal(h.undo(), null);
  while (h.redo());
  assert.equal(h.tracks, last);
});

test("actions get their own key, else a free one, else none", () => {
  const action = (id, hotkey = "", name = `a${id}`) => ({ id, hotkey, name, description: "" });
  const groups = [{ name: "g", actions: [action(1, "w"), action(2, "w"), action(3, "A")] }];
  assert.deepEqual(assigned(groups), { 1: "w", 2: "a", 3: "A" });
  assert.deepEqual(assigned(groups, { 2: "w" }), { 1: "a", 2: "w", 3: "A" });
  const many = [{ name: "g", actions: [...Array(80).keys()].map(n => action(n)) }];
  assert.equal(new Set(Object.values(assigned(many))).size, 62);
  const press = (key, more = {}) => meant({ key, code: `Key${key.toUpperCase()}`, ...more }, { w: 1, a: 2, A: 3 });
  assert.deepEqual(press("w"), { action: 1, reach: "on" });
  assert.deepEqual(press("W", { shiftKey: true }), { action: 1, reach: "whole" });
  assert.deepEqual(press("A", { shiftKey: true }), { action: 3, reach: "on" }, "a capital that is a key says itself");
  assert.deepEqual(press("w", { altKey: true }), { action: 1, reach: "second" });
  assert.equal(press("x"), null);
  assert.deepEqual(matching([{ name: "g", actions: [action(1, "", "stand_up"), action(2, "", "understand")] }], "stand").map(f => f.action.id), [1, 2]);
});

test("the same keys move every clip that plays", () => {
  const done = [], player = Object.fromEntries(["toggle", "byFrames", "bySeconds", "faster"].map(name => [name, n => done.push([name, n])]));
  for (const [key, shiftKey] of [[" "], ["ArrowRight"], ["ArrowLeft", true], ["PageDown"], ["["]]) moving({ key, shiftKey }, player)();
  assert.deepEqual(done, [["toggle", undefined], ["bySeconds", 1], ["byFrames", -1], ["bySeconds", 5], ["faster", .5]]);
  assert.equal(moving({ key: "a" }, player), undefined);
  assert.deepEqual([secondsOn(44, 1, clip), secondsOn(44, -1, clip), secondsOn(44, -5, clip), secondsOn(290, 5, clip)], [60, 0, 0, 270]);
});

test("keys of whoever types, and those that press a button, are not the page's", () => {
  const at = (found, key, more = {}) => belongsElsewhere({ key, target: { closest: what => what.includes(found) || null }, ...more });
  assert.ok(at("input", "a"));
  assert.ok(at("button", "Enter") && at("button", " "));
  assert.ok(!at("button", "a") && !at("button", "Enter", { ctrlKey: true }) && !at("nothing", "Enter"));
});

test("a picture is asked for once what was pressed is drawn, and only the last one", () => {
  const before = globalThis.requestAnimationFrame, frames = [], told = [];
  Object.assign(globalThis, { requestAnimationFrame: act => frames.push(act), cancelAnimationFrame: n => { frames[n - 1] = null; } });
  try {
    const sought = [], video = { pause() {}, seeking: false, paused: true, get currentTime() { return sought.at(-1) ?? 0; }, set currentTime(time) { sought.push(time); } };
    const { methods } = Player, self = { $refs: { video }, clip, time: 0, $emit: (name, what) => told.push([name, what]), get frame() { return Player.computed.frame.call(this); } };
    for (const [name, act] of Object.entries(methods)) self[name] = act.bind(self);
    self.seek(30); self.bySeconds(1);
    assert.deepEqual(told.filter(([name]) => name === "at").map(([, frame]) => frame), [30, 60], "what lies over it follows at once");
    assert.deepEqual(sought, []);
    for (let n = 0; n < frames.length; n++) if (frames[n]) frames[n]();
    assert.deepEqual(sought.map(time => Math.floor(time * clip.fps)), [60]);
  } finally { globalThis.requestAnimationFrame = before; }
});

test("80 actions have keys as far as there are some, and own keys never clash", () => {
  const many = [{ name: "g", actions: [...Array(80).keys()].map(n => ({ id: n + 1, hotkey: n < 10 ? String(n) : "", name: `a${n}`, description: "" })) }];
  const keys = assigned(many), own = assigned(many, { 80: "a", 79: "0", 78: "ß" });
  assert.equal(Object.keys(keys).length, 62);
  assert.equal(keys[80], undefined, "it is found by its name");
  assert.deepEqual([own[80], own[79], own[78]], ["a", "0", undefined], "no key that is no letter or digit");
  assert.equal(new Set(Object.values(own)).size, Object.keys(own).length);
  assert.deepEqual(matching(many, "a79").map(f => f.action.id), [80]);
});

test("held keys count from the second after they were pressed, corrected by the time to react", () => {
  const live = new Live();
  live.down("KeyW", "t1", 1, 67);
  assert.deepEqual(live.up("KeyW", 128, 7.5, 30), { key: "t1", action: 1, frame: 67, from: 60, until: 150 });
  assert.equal(live.up("KeyW", 130, 7.5, 30), null);
});

function outbox(send) {
  const news = [], kept = [];
  const box = new Outbox({ send, keep: entry => kept.push(entry), tell: state => news.push(state), pause: 1e6, latest: 1e6 });
  return { box, news, kept };
}
const server = (log = []) => async edits => { log.push(edits); return { conflicts: {}, stored: Object.fromEntries(edits.map(e => [e.key, e.gone ? null : { id: e.id || 50 + log.length, hash: `h${log.length}` }])) }; };

test("edits are sent once, with what they began with", async () => {
  const log = [], { box, kept, news } = outbox(server(log)), t = { ...track(), id: 9, hash: "h0" };
  box.start([t]);
  box.put([say(t, "pose", 0, [1]), drawn("n1", 0, [1, 2, 3, 4])]);
  assert.equal(kept.at(-1).size, 2, "kept before it is sent");
  await box.flush();
  await box.flush();
  assert.equal(log.length, 1);
  assert.deepEqual(log[0].map(e => [e.key, e.id, e.base]), [["t1", 9, "h0"], ["n1", null, ""]]);
  assert.equal(kept.at(-1).size, 0);
  box.put([]);
  await box.flush();
  assert.deepEqual(log[1].map(e => [e.key, e.id, e.base, e.gone]), [["t1", 9, "h1", true], ["n1", 51, "h1", true]]);
  assert.equal(news.at(-1), "stored");
  clearTimeout(box.timer);
});

test("edits are sent in a pause between keys, and while there is none soon all the same", t => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const log = [], box = new Outbox({ send: server(log), keep() {}, tell() {}, pause: 300, latest: 700 }), one = { ...track(), id: 9, hash: "h0" };
  box.start([one]);
  const sent = at => { box.put([say(one, "pose", 0, [at])]); t.mock.timers.tick(200); return log.length; };
  assert.deepEqual([1, 2, 3].map(sent), [0, 0, 0], "keys follow each other");
  t.mock.timers.tick(100);
  assert.equal(log.length, 1, "700 ms after the first");
  const still = new Outbox({ send: server(log), keep() {}, tell() {}, pause: 300, latest: 700 });
  still.start([one]);
  still.put([say(one, "pose", 0, [4])]);
  t.mock.timers.tick(299);
  assert.equal(log.length, 1);
  t.mock.timers.tick(1);
  assert.equal(log.length, 2, "a pause");
});

test("what cannot be sent is kept and sent later, in its newest form", async () => {
  let away = true;
  const log = [], { box, kept, news } = outbox(async edits => { if (away) throw new Error("away"); return server(log)(edits); });
  const t = { ...track(), id: 9, hash: "h0" };
  box.start([t]);
  box.put([say(t, "pose", 0, [1])]);
  await box.flush();
  assert.equal(news.at(-1), "away");
  box.put([say(t, "pose", 0, [2])]);
  assert.deepEqual(kept.at(-1).get("t1").track.said.pose, [[0, [2]]]);
  away = false;
  await box.flush();
  assert.deepEqual(log[0][0].said.pose, [[0, [2]]]);
  assert.equal(box.waiting, 0);
  clearTimeout(box.timer);
});

test("what was changed elsewhere is held until somebody chooses", async () => {
  let sent = [];
  const theirs = { id: 9, hash: "x" };
  const { box, news } = outbox(async edits => { sent = edits; return edits[0].base === "x" ? { conflicts: {}, stored: { t1: { id: 9, hash: "y" } } } : { conflicts: { t1: theirs }, stored: {} }; });
  const t = { ...track(), id: 9, hash: "h0" };
  box.start([t]);
  box.put([say(t, "pose", 0, [1])]);
  await box.flush();
  assert.equal(news.at(-1), "conflict");
  assert.equal(box.waiting, 0, "not sent again by itself");
  box.settle("t1", theirs, true);
  await box.flush();
  assert.equal(sent[0].base, "x");
  assert.equal(box.waiting, 0);
  clearTimeout(box.timer);
});

test("a killed tab's edits are found by the next, a living one's are left", () => {
  class Store extends Map { getItem(k) { return this.get(k) ?? null; } setItem(k, v) { this.set(k, v); this[k] = v; } removeItem(k) { this.delete(k); delete this[k]; } }
  const store = new Store(), base = { id: 1, hash: "h" }, one = { key: "t1", seed: "1", keys: [], said: {} };
  const dead = new Kept("mia 7", store, new Store()), living = new Kept("mia 7", store, new Store()), next = new Kept("mia 7", store, new Store());
  dead.keep(new Map([["t1", { base, track: one }], ["t2", { base, track: null }]]));
  living.keep(new Map([["n1", { base: null, track: one }]]));
  assert.deepEqual(next.adopt(new Set([living.tab])), { known: { t1: base, t2: base }, tracks: [one] });
  assert.equal(next.adopt(new Set([living.tab])), null, "once");
  assert.ok(store.getItem(`${living.own}n1`));
  living.keep(new Map());
  assert.equal(store.size, 0, "what is stored is forgotten");
});

test("what is done while a call is under way is stored before the job is finished", async () => {
  let answer;
  const log = [], now = server(log), slow = edits => new Promise(done => { answer = () => done(now(edits)); });
  const sends = [slow, now], { box } = outbox(edits => sends.shift()(edits)), t = { ...track(), id: 9, hash: "h0" };
  box.start([t]);
  box.put([say(t, "pose", 0, [1])]);
  const first = box.flush();
  box.put([say(t, "pose", 0, [2])]);
  const drained = box.drain();
  answer();
  await Promise.all([first, drained]);
  assert.equal(box.waiting, 0);
  assert.deepEqual(log.map(edits => edits[0].said.pose), [[[0, [1]]], [[0, [2]]]]);
});

test("active seconds belong to the answer that they led to", () => {
  const told = [], before = { window: globalThis.window, document: globalThis.document };
  let now = 0;
  Object.assign(globalThis, { window: { addEventListener() {}, removeEventListener() {} }, document: { hasFocus: () => true } });
  try {
    const time = new ActiveTime(events => told.push(...events), () => now);
    const pass = seconds => { for (let n = 0; n < seconds; n++) { now += 1000; time.tick(); } };
    pass(4); time.answered("t1", 8);
    time.input(); pass(2); time.answered("t1", 8);
    pass(3); time.answered("t1");
    time.answered("t2", 0);
    pass(5); time.send(false);
    assert.deepEqual(told, [{ track: "t1", action: 8, seconds: 6, answers: 2 }, { track: "t1", action: 0, seconds: 3, answers: 0 }, { track: "t2", action: 0, seconds: 0, answers: 1 }]);
    told.length = 0; now += 40000; time.tick(); time.stop();
    assert.deepEqual(told, [{ track: "t2", action: 0, seconds: 5, answers: 0 }], "idle time is nobody's");
  } finally { Object.assign(globalThis, before); }
});
