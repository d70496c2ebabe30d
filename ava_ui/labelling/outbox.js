// Brings edits to the server in order, one call at a time, again until it has them; until then they lie in the browser.
// It compares tracks with those the server has: what differs is sent, so nothing is sent twice for nothing.
const PAUSE = 300; // ms without another edit, in which a call disturbs nobody's keys
const LATEST = 700; // ms after the first edit: the server has it within a second
const WAIT = 400; // ms before the second try, doubled before each further one
const LONGEST = 15000;

export class Outbox {
  // `send(edits)` answers as the desk's `save`, or throws: an error with `final` is not tried again by itself.
  constructor({ send, keep, tell, pause = PAUSE, latest = LATEST }) {
    Object.assign(this, { send, keep, tell, pause, latest, known: new Map(), saved: new Map(), tracks: [], held: new Set() });
    this.timer = 0; this.busy = false; this.fails = 0; this.problem = ""; this.since = 0;
  }

  start(tracks) {
    this.tracks = tracks;
    for (const track of tracks) { this.saved.set(track.key, track); if (track.id) this.known.set(track.key, { id: track.id, hash: track.hash }); }
  }

  // What an earlier page could not store any more.
  restore(entry) {
    for (const [key, base] of Object.entries(entry.known)) this.known.set(key, base);
    for (const key of [...Object.keys(entry.known), ...entry.tracks.map(t => t.key)]) this.saved.set(key, null);
  }

  put(tracks) {
    this.tracks = tracks;
    this.remember();
    if (!this.problem && !this.held.size && this.edits().length) this.tell("storing");
    if (this.problem) { this.soon(this.pause); return; }
    // In a pause between keys; while there is none, what was done first waits no longer for what comes after it.
    if (!this.timer) this.since = Date.now();
    clearTimeout(this.timer);
    this.timer = 0;
    this.soon(Math.max(0, Math.min(this.pause, this.since + this.latest - Date.now())));
  }

  edits() {
    const there = new Map(this.tracks.map(t => [t.key, t])), found = [];
    for (const [key, track] of there) if (this.saved.get(key) !== track && !this.held.has(key)) {
      const base = this.known.get(key) || { id: null, hash: "" };
      found.push({ key, id: base.id, base: base.hash, seed: track.seed, keys: track.keys, said: track.said, track });
    }
    for (const [key, base] of this.known) if (!there.has(key) && !this.held.has(key)) found.push({ key, id: base.id, base: base.hash, gone: true });
    return found;
  }

  // Kept in the browser before anything is sent; forgotten once the server has all.
  remember() {
    const there = new Map(this.tracks.map(t => [t.key, t]));
    const keys = [...this.edits().map(e => e.key), ...this.held];
    this.keep(new Map(keys.map(key => [key, { base: this.known.get(key) || null, track: there.get(key) || null }])));
  }

  soon(wait) { if (!this.timer) this.timer = setTimeout(() => this.flush(), wait); }

  get waiting() { return this.edits().length; }

  async flush() {
    clearTimeout(this.timer);
    this.timer = 0;
    if (this.busy) return this.busy;
    this.busy = this.round();
    try { await this.busy; } finally { this.busy = false; }
    if (!this.problem && this.edits().length) this.soon(0);
  }

  // All of it, also what was done while a call was under way; or as much as the server takes.
  async drain() { do await this.flush(); while (this.waiting && !this.problem); }

  async round() {
    const edits = this.edits();
    if (!edits.length) { this.tell("stored"); return; }
    this.tell("storing");
    let answer;
    try { answer = await this.send(edits.map(({ track, ...edit }) => edit)); }
    catch (error) {
      this.problem = error.message;
      this.tell(error.final ? "refused" : "away", error.message);
      if (!error.final) this.soon(Math.min(WAIT * 2 ** ++this.fails, LONGEST));
      return;
    }
    this.problem = ""; this.fails = 0;
    for (const edit of edits) {
      if (!(edit.key in answer.stored)) continue;
      const now = answer.stored[edit.key];
      if (now) { this.known.set(edit.key, now); this.saved.set(edit.key, edit.track); }
      else { this.known.delete(edit.key); this.saved.delete(edit.key); }
    }
    for (const key of Object.keys(answer.conflicts)) this.held.add(key);
    this.remember();
    this.tell(this.held.size ? "conflict" : this.edits().length ? "storing" : "stored", "", answer);
  }

  // A conflict is settled: `theirs` is what the server has, `mine` says whether it is to be written over.
  settle(key, theirs, mine) {
    this.held.delete(key);
    if (theirs) this.known.set(key, { id: theirs.id, hash: theirs.hash }); else this.known.delete(key);
    if (mine) this.saved.delete(key);
  }
}
