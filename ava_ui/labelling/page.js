// The page on which a person labels a job. It keeps the people and what was done (History), brings them to the server
// (Outbox), and turns keys into what is said (said.js) and drawn (geometry.js).
import { boxAt, living, seconds } from "./boxes.js";
import Crop from "./crop.js";
import * as geometry from "./geometry.js";
import Grid from "./grid.js";
import { History } from "./history.js";
import { Kept, Tabs } from "./kept.js";
import { assigned, belongsElsewhere, meant, moving } from "./keys.js";
import { KeyList, People } from "./lists.js";
import { Live } from "./live.js";
import { Outbox } from "./outbox.js";
import * as said from "./said.js";
import { Finder, KeySheet, Unset } from "./sheets.js";
import Stage from "./stage.js";
import { template } from "./template.js";
import { ActiveTime } from "./time.js";

const WORDS = {
  stored: "All saved", storing: "Saving …", away: "Not saved yet; kept in this browser and retried",
  refused: "Not saved; kept in this browser", conflict: "Changed elsewhere: choose above",
};

export default {
  template,
  components: { KeyList, People, Stage, Crop, Grid, Finder, KeySheet, Unset },
  // `sheet`: what was asked for already, else it is asked for here.
  props: { source: String, user: String, frameWanted: Number, sheet: Object },
  emits: ["finished", "next"],
  data() {
    return {
      doc: null, problem: "", tracks: [], chosen: "", frame: 0, playing: false, group: "", over: "", message: "", state: "stored", why: "",
      drawing: false, joining: "", live: false, reaction: 250, still: matchMedia("(prefers-reduced-motion: reduce)").matches, rate: 1,
      changing: null, keys: {}, conflicts: {}, otherTab: false, broken: false, letTabGo: false, closed: "", working: false, undoable: 0, redoable: 0,
    };
  },
  computed: {
    clip() { return this.doc.clip; },
    second() { return Math.floor(this.frame / this.clip.fps); },
    track() { return this.tracks.find(t => t.key === this.chosen); },
    groups() { return this.doc.groups; },
    actions() { return Object.fromEntries(this.groups.flatMap(g => g.actions.map(a => [a.id, a.name]))); },
    groupOf() { return Object.fromEntries(this.groups.flatMap(g => g.actions.map(a => [a.id, g]))); },
    byKey() { return Object.fromEntries(Object.entries(this.keys).map(([id, key]) => [key, Number(id)])); },
    names() {
      let more = 0;
      return Object.fromEntries(this.tracks.map(t => [t.key, t.seed || `+${++more}`]));
    },
    people() { return this.tracks.map(t => ({ key: t.key, name: this.names[t.key], unset: this.unsetCount(t) })); },
    left() { return this.people.reduce((sum, p) => sum + p.unset, 0); },
    unset() { return this.tracks.flatMap(t => this.unsetOf(t).map(u => ({ ...u, key: t.key, name: this.names[t.key] }))); },
    marks() { return this.doc.issues.map(i => Math.floor(i.frame / this.clip.fps)); },
    word() { return WORDS[this.state] + (this.why ? `: ${this.why}` : ""); },
  },
  // What opened over the page gives the keys back to the sheet.
  watch: { over(now) { if (!now) this.$nextTick(() => { if (this.$refs.work) this.$refs.work.focus({ preventScroll: true }); }); } },
  created() { this.counted = new WeakMap(); },
  async mounted() {
    this.pressed = event => this.key(event);
    this.released = event => this.up(event);
    window.addEventListener("keydown", this.pressed, true);
    window.addEventListener("keyup", this.released, true);
    this.leaving = event => { if (this.outbox && this.outbox.waiting) event.preventDefault(); };
    window.addEventListener("beforeunload", this.leaving);
    try { await this.load(); } catch (error) { this.problem = error.message; }
  },
  beforeUnmount() {
    window.removeEventListener("keydown", this.pressed, true);
    window.removeEventListener("keyup", this.released, true);
    window.removeEventListener("beforeunload", this.leaving);
    if (this.tabs) this.tabs.close();
    if (this.time) this.time.stop();
    if (this.outbox) this.outbox.flush();
  },
  methods: {
    async ask(what, body, source = this.source) {
      let answer;
      const wanted = body ? { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), keepalive: JSON.stringify(body).length < 60000 } : {};
      try { answer = await fetch(`${source}/${what}`, { ...wanted, signal: AbortSignal.timeout(30000) }); }
      catch { throw new Error("the console is not responding"); }
      if (answer.status === 401) throw new Error("your session has expired: sign in again in another tab to continue here");
      if (!answer.ok) throw Object.assign(new Error(await answer.text()), { final: answer.status === 404 || answer.status === 409 });
      return answer.json();
    },
    async load() {
      const name = `${this.user} ${this.source}`;
      this.kept = new Kept(name);
      this.tabs = new Tabs(name, this.kept.tab, () => { this.otherTab = true; });
      // Who else is there matters where something was left: it may be theirs.
      const [doc, others] = await Promise.all([this.sheet || this.ask("sheet"), this.kept.left ? this.tabs.known() : new Set()]);
      const tracks = doc.tracks.map(t => Object.freeze({ ...t, key: `t${t.id}` })).sort((a, b) => a.keys[0][0] - b.keys[0][0] || a.id - b.id);
      this.outbox = new Outbox({ send: edits => this.ask("save", { edits }), keep: entry => this.kept.keep(entry), tell: (...news) => this.told(...news) });
      this.outbox.start(tracks);
      const entry = this.kept.adopt(others);
      const before = entry ? this.restored(tracks, entry) : tracks;
      this.history = new History(before);
      this.keysOf = `labelling keys ${doc.ontology}`;
      this.keys = assigned(doc.groups, JSON.parse(localStorage.getItem(this.keysOf) || "{}"));
      this.group = doc.groups.length ? doc.groups[0].name : "";
      this.reaction = Number(localStorage.getItem("labelling reaction") || 250);
      this.doc = Object.freeze(doc);
      this.closed = doc.closed;
      this.tracks = this.history.tracks;
      this.time = new ActiveTime(events => this.ask("active", { events }).catch(() => {}));
      this.lives = new Live();
      await this.$nextTick();
      const at = this.kept.place();
      if (this.frameWanted) { this.choose((this.tracks.find(t => boxAt(t.keys, this.frameWanted)) || this.tracks[0] || {}).key); this.seek(this.frameWanted); }
      else if (at && this.tracks.some(t => t.key === at.key)) { this.choose(at.key); this.seek(at.frame); }
      else if (this.tracks.length) this.choose((this.people.find(p => p.unset) || this.people[0]).key);
      if (entry) this.outbox.put(this.tracks);
      this.$refs.work.focus({ preventScroll: true });
      this.$el.dataset.ready = "yes";
      if (doc.following) this.fetchAhead(doc.following.clip);
    },
    // The next clip, while the browser has nothing else to do: it is there once its job is opened.
    fetchAhead(href) { document.head.append(Object.assign(document.createElement("link"), { rel: "prefetch", href })); },
    // Edits that an earlier page could not store: over what the server has now.
    restored(tracks, entry) {
      const keyOf = key => entry.known[key] ? `t${entry.known[key].id}` : key;
      const own = { tracks: entry.tracks.map(t => ({ ...t, key: keyOf(t.key) })), known: Object.fromEntries(Object.entries(entry.known).map(([key, base]) => [keyOf(key), base])) };
      this.outbox.restore(own);
      const touched = new Set(Object.keys(own.known));
      this.say("Restored your unsaved work from last time.");
      return [...tracks.filter(t => !touched.has(t.key)), ...own.tracks.map(Object.freeze)].sort((a, b) => a.keys[0][0] - b.keys[0][0]);
    },
    told(state, why = "", answer = null) {
      this.state = state;
      this.why = why;
      if (!answer) return;
      // A track that was added under another name before its answer was lost is the same track.
      const ids = new Map([...this.outbox.known].map(([key, base]) => [base.id, key]));
      const double = this.history.tracks.filter(t => this.outbox.known.has(t.key) && ids.get(this.outbox.known.get(t.key).id) !== t.key).map(t => t.key);
      if (double.length) {
        for (const key of double) { this.outbox.known.delete(key); this.outbox.saved.delete(key); }
        this.history.rebase(tracks => tracks.filter(t => !double.includes(t.key)));
        this.shown();
      }
      if (Object.keys(answer.conflicts).length) this.conflicts = { ...this.conflicts, ...answer.conflicts };
    },
    settle(key, mine) {
      const theirs = this.conflicts[key], track = theirs && Object.freeze({ ...theirs, key });
      this.outbox.settle(key, theirs, mine);
      if (!mine) {
        if (track) this.outbox.saved.set(key, track); else this.outbox.saved.delete(key);
        this.history.rebase(tracks => track ? (tracks.some(t => t.key === key) ? tracks.map(t => t.key === key ? track : t) : [...tracks, track]) : tracks.filter(t => t.key !== key));
      }
      const { [key]: _, ...others } = this.conflicts;
      this.conflicts = others;
      this.shown();
      this.outbox.put(this.tracks);
    },
    say(message) { this.message = message; clearTimeout(this.quiet); this.quiet = setTimeout(() => { this.message = ""; }, 8000); },
    unsetOf(track) {
      if (!this.counted.has(track)) this.counted.set(track, said.unsetOf(track, this.groups, this.clip));
      return this.counted.get(track);
    },
    unsetCount(track) { return this.unsetOf(track).reduce((sum, u) => sum + u.count, 0); },
    // A button that is clicked does its work and leaves the keys where they were.
    keepFocus(event) { if (event.target.closest("button")) event.preventDefault(); },
    // ---- people and seconds
    choose(key, frame) {
      if (!key) return;
      this.chosen = key;
      const seen = living(this.track.keys, this.clip), open = this.unsetOf(this.track)[0];
      this.seek(frame ?? (open ? open.second : seen.length ? seen[0] : Math.floor(this.track.keys[0][0] / this.clip.fps)) * this.clip.fps);
      this.reveal();
    },
    // Once what was pressed is drawn: where the chosen one lies has to be measured.
    reveal() {
      cancelAnimationFrame(this.revealing);
      this.revealing = requestAnimationFrame(() => { this.revealing = requestAnimationFrame(() => {
        const one = this.$el.querySelector(".label-people [aria-current=true]");
        if (one) one.scrollIntoView({ block: "nearest", inline: "nearest" });
      }); });
    },
    player() { return this.$refs.stage.$refs.player; },
    seek(frame) { this.player().seek(frame); },
    beside(n, open) {
      const at = this.people.findIndex(p => p.key === this.chosen), count = this.people.length;
      for (let i = 1; i <= count; i++) {
        const one = this.people[(((at + n * i) % count) + count) % count];
        if (!open || one.unset) { if (one.key !== this.chosen) this.choose(one.key); else if (open) this.choose(one.key); return; }
      }
      this.say("Everything is labelled: finish the job with Ctrl Enter.");
    },
    pick(key) { this.choose(key); },
    pickHere(key) { this.choose(key, this.frame); },
    toSecond(second) { this.seek(second * this.clip.fps); },
    useGroup(group) { this.group = group; },
    isPlaying(now) { this.playing = now; },
    isBroken() { this.broken = true; },
    at(frame) {
      this.frame = frame;
      clearTimeout(this.placing);
      this.placing = setTimeout(() => this.kept.place({ key: this.chosen, frame: this.frame }), 300);
    },
    // ---- edits
    shown() {
      this.tracks = this.history.tracks;
      this.undoable = this.history.past.length;
      this.redoable = this.history.future.length;
      if (this.tracks.length && !this.track) this.chosen = this.tracks[0].key;
    },
    // `action`: the class that is said, 0 for an answer without one; null: a box, nothing is said.
    changed(act, action = null) {
      if (this.closed) { this.say(this.closed); return; }
      act({ key: this.chosen, frame: this.frame });
      this.shown();
      this.outbox.put(this.tracks);
      this.time.answered(this.chosen, action);
    },
    put(track, action = null) { if (track && track !== this.track) this.changed(where => this.history.replace(Object.freeze(track), where), action); },
    take(action, reach = "on") {
      const group = this.groupOf[action], fps = this.clip.fps, frame = this.second * fps, track = this.track;
      this.group = group.name;
      this.over = "";
      const answer = (reach === "whole" ? said.pressedWhole : said.pressed)(track, group, action, frame);
      if (answer === undefined) { this.say(`At most ${group.most} of ${group.name}: remove one first.`); return; }
      this.answer(group.name, answer, reach, action);
    },
    answer(group, answer, reach = "on", action = 0) {
      const fps = this.clip.fps, frame = this.second * fps, track = this.track;
      if (!track) return;
      if (answer === null) { this.put(said.takeOff(track, group, frame), action); return; }
      if (reach === "whole") this.put(said.sayWhole(track, group, answer), action);
      else if (reach === "second") {
        if (said.answerAt(track, group, frame + fps) === undefined) this.say("There is no earlier answer, so this one holds until you give another.");
        this.put(said.sayBetween(track, group, frame, frame + fps, answer), action);
      } else this.put(said.say(track, group, frame, answer), action);
    },
    // What a key says now: the same again takes it off.
    toggle(group, answer) {
      const now = said.answerAt(this.track, group, this.second * this.clip.fps);
      this.answer(group, JSON.stringify(now) === JSON.stringify(answer) ? null : answer);
    },
    none() {
      if (this.groups.find(g => g.name === this.group).kind === "multi") this.toggle(this.group, []);
      else this.say(`${this.group.replaceAll("_", " ")} always has one action: choose one, or press * if you cannot tell.`);
    },
    unclear(track) { return this.unsetOf(track).reduce((t, u) => said.say(t, u.group, t.keys[0][0], said.CANNOT_TELL), track); },
    asBefore() {
      const fps = this.clip.fps, frame = this.second * fps;
      let track = this.track;
      for (const g of this.groups) {
        const before = said.answerAt(track, g.name, frame - fps);
        if (before !== undefined) track = said.say(track, g.name, frame, before);
      }
      this.put(track, 0);
    },
    fresh() { return `n${Math.random().toString(36).slice(2, 10)}`; },
    draw() { this.drawing = true; this.say("Draw a box around the person. Press Escape to cancel."); },
    drawn(box) {
      this.drawing = false;
      const track = Object.freeze(geometry.drawn(this.fresh(), this.frame, box));
      this.changed(where => { this.history.put([...this.tracks, track], where); });
      if (this.history.tracks.includes(track)) this.chosen = track.key;
    },
    remove() {
      const gone = this.chosen, at = this.tracks.findIndex(t => t.key === gone);
      this.changed(where => this.history.put(this.tracks.filter(t => t.key !== gone), where));
      const after = [...this.tracks.slice(at), ...this.tracks.slice(0, at)];
      const next = after.find(t => this.unsetCount(t)) || after[0];
      if (next && !this.tracks.some(t => t.key === gone)) this.choose(next.key);
      this.say("Removed: not a person. Press Ctrl Z to restore the boxes.");
    },
    split() {
      const parts = geometry.split(this.track, this.frame, this.fresh());
      if (!parts) { this.say("Nothing to split here: go to a later frame in which the person is visible."); return; }
      const at = this.tracks.findIndex(t => t.key === this.chosen), frame = this.frame;
      this.changed(where => this.history.put([...this.tracks.slice(0, at), ...parts.map(Object.freeze), ...this.tracks.slice(at + 1)], where));
      this.choose(parts[1].key, frame);
    },
    join() {
      if (!this.joining) { this.joining = this.chosen; this.say("Choose the other person, then press = again. Press Escape to cancel."); return; }
      const one = this.tracks.find(t => t.key === this.joining), other = this.track;
      this.joining = "";
      if (!one || one.key === other.key) { this.say("Not joined: you chose the same person twice."); return; }
      const whole = Object.freeze(geometry.joined(one, other));
      this.changed(where => this.history.put(this.tracks.filter(t => t.key !== other.key).map(t => t.key === one.key ? whole : t), where));
      this.choose(one.key, this.frame);
    },
    reset() {
      const drawn = this.doc.predrawn[this.track.seed];
      if (!drawn) { this.say("The tracker has no boxes for this person."); return; }
      this.put({ ...this.track, keys: drawn });
    },
    leaves() { this.put(geometry.leaves(this.track, this.frame)); },
    undo() { this.back(this.history.undo()); },
    redo() { this.back(this.history.redo()); },
    back(where) { if (!where) return; this.shown(); this.outbox.put(this.tracks); if (this.tracks.some(t => t.key === where.key)) this.choose(where.key, where.frame); },
    // ---- done
    // `onward`: the next job follows in the place of this one; its sheet is asked for while this one is finished.
    async finish(onward) {
      this.onward = onward;
      if (this.left) { this.over = "unset"; return; }
      this.over = "";
      this.working = true;
      try {
        await this.outbox.drain();
        if (this.outbox.waiting || Object.keys(this.conflicts).length) { this.say("Not finished: some changes are not saved yet."); return; }
        this.closed = "You have finished this job. Reopen it to make changes.";
        const { following } = this.doc, ahead = onward && following ? this.ask("sheet", null, following.source).catch(() => null) : null;
        await this.ask("state", { state: "completed" });
        this.time.send();
        const sheet = await ahead;
        if (sheet) this.$emit("next", { ...following, sheet }); else this.$emit("finished");
      } catch (error) { this.closed = ""; this.say(`Not finished: ${error.message}`); } finally { this.working = false; }
    },
    finishUnclear() {
      this.changed(where => this.history.put(this.tracks.map(t => Object.freeze(this.unclear(t))), where), 0);
      this.finish(this.onward);
    },
    // A job goes on as it was; another try at a practice clip begins anew.
    async takeUp() { try { if ((await this.ask("state", { state: "in progress" })).anew) location.reload(); else this.closed = ""; } catch (error) { this.say(error.message); } },
    // ---- keys
    changeKey(event) {
      const key = event.key.length === 1 ? event.key : "";
      if (key) {
        const own = JSON.parse(localStorage.getItem(this.keysOf) || "{}");
        for (const id of Object.keys(own)) if (own[id] === key) delete own[id];
        own[this.changing.id] = key;
        localStorage.setItem(this.keysOf, JSON.stringify(own));
        this.keys = assigned(this.groups, own);
      }
      if (key || event.key === "Escape") this.changing = null;
    },
    ownKeys() { localStorage.removeItem(this.keysOf); this.keys = assigned(this.groups); },
    key(event) {
      if (!this.doc || document.querySelector(".q-dialog")) return;
      if (this.changing) { this.changeKey(event); event.preventDefault(); event.stopImmediatePropagation(); return; }
      if (this.over) { if (event.key === "Escape") { this.over = ""; event.stopImmediatePropagation(); } else if (this.over !== "find" || event.key === "?") { if (event.key.length === 1 && event.key !== " ") event.stopImmediatePropagation(); } return; }
      if (belongsElsewhere(event)) return;
      const act = this.command(event) || this.spoken(event);
      if (!act) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      act();
    },
    spoken(event) {
      if (event.ctrlKey || event.metaKey || !this.track) return null;
      const found = meant(event, this.byKey);
      if (!found) return null;
      if (!this.live || !this.playing) return () => this.take(found.action, found.reach);
      return () => { if (!event.repeat) this.lives.down(event.code, this.chosen, found.action, this.frame); };
    },
    up(event) {
      const one = this.lives && this.lives.up(event.code, this.frame, this.reaction * this.clip.fps / 1000, this.clip.fps);
      if (!one) return;
      const track = this.tracks.find(t => t.key === one.key), group = this.groupOf[one.action];
      if (!track) return;
      if (one.from === one.until) { this.say("Too short: the action covers no whole second."); return; }
      const now = said.answerAt(track, group.name, one.from), ids = Array.isArray(now) ? now : [];
      const answer = group.kind === "exclusive" ? [one.action] : [...new Set([...ids, one.action])].sort((a, b) => a - b).slice(0, group.most);
      this.changed(where => this.history.replace(Object.freeze(said.sayBetween(track, group.name, one.from, one.until, answer)), where), one.action);
    },
    command(event) {
      const control = event.ctrlKey || event.metaKey, letter = event.key.toLowerCase();
      if (control) return { z: () => event.shiftKey ? this.redo() : this.undo(), y: () => this.redo(), enter: () => this.finish(event.shiftKey) }[letter];
      const person = this.track;
      const any = {
        ArrowUp: () => this.beside(-1), ArrowDown: () => this.beside(1), "/": () => { this.over = "find"; }, "?": () => { this.over = "keys"; },
        Insert: () => this.draw(), "+": () => this.draw(), "`": () => { this.live = !this.live; }, Escape: () => { this.letTabGo = !this.drawing && !this.joining; this.drawing = false; this.joining = ""; this.message = ""; },
      };
      // Tab moves among people while the sheet itself has the focus, until Escape; else it is the browser's.
      const own = {
        Tab: event.target === this.$refs.work && !this.letTabGo ? () => this.beside(event.shiftKey ? -1 : 1, true) : null,
        Enter: () => this.beside(1, true), ".": () => this.asBefore(), "-": () => this.none(), "*": () => this.toggle(this.group, said.CANNOT_TELL),
        "!": () => this.put(this.unclear(person), 0), Delete: () => this.remove(), End: () => this.leaves(), "\\": () => this.split(), "=": () => this.join(), Backspace: () => this.reset(),
      };
      if (this.byKey[event.key] !== undefined) return null;
      return moving(event, this.player()) || any[event.key] || (person && own[event.key]) || null;
    },
    keepReaction() { localStorage.setItem("labelling reaction", this.reaction); },
    boxMoved(box) { this.put(geometry.moved(this.track, this.frame, box)); },
    lastSecond() { return seconds(this.clip) - 1; },
  },
};
