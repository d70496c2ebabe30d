// Active seconds: the page has the focus, and there was input in the last half minute. They belong to what comes of
// them: to the answer that is given next, by person and action, or to a box; what comes to nothing is nobody's.
const IDLE = 30000;
const SEND = 15000;
const LONGEST = 60; // seconds without an answer, after which they are told all the same

export class ActiveTime {
  constructor(send, clock = () => Date.now()) {
    Object.assign(this, { deliver: send, clock, events: new Map(), pending: 0, last: clock(), key: "" });
    this.input = () => { this.last = this.clock(); };
    for (const name of ["keydown", "pointerdown", "pointermove"]) window.addEventListener(name, this.input, true);
    this.ticks = setInterval(() => this.tick(), 1000);
    this.sends = setInterval(() => this.send(this.pending >= LONGEST), SEND);
  }

  tick() { if (document.hasFocus() && this.clock() - this.last < IDLE) this.pending += 1; }

  // `action`: the class that was said, 0 for an answer without one (none, cannot tell), null for a box.
  answered(key, action = null) { this.key = key; this.put(key, action || 0, action === null ? 0 : 1); }

  put(track, action, answers) {
    const name = `${track} ${action}`, event = this.events.get(name) || { track, action, seconds: 0, answers: 0 };
    this.events.set(name, { ...event, seconds: event.seconds + this.pending, answers: event.answers + answers });
    this.pending = 0;
  }

  send(all = true) {
    if (all && this.pending) this.put(this.key, 0, 0);
    const events = [...this.events.values()];
    this.events.clear();
    if (events.length) this.deliver(events);
  }

  stop() {
    for (const name of ["keydown", "pointerdown", "pointermove"]) window.removeEventListener(name, this.input, true);
    clearInterval(this.ticks); clearInterval(this.sends);
    this.send();
  }
}
