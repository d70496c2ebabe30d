// Keys held while the clip plays: down is the onset, up the offset, each earlier by the time that a person takes to react.
import { secondAfter } from "./said.js";

export class Live {
  constructor() { this.held = new Map(); }

  down(code, key, action, frame) { this.held.set(code, { key, action, frame }); }

  // From and until which frame it holds, at whole seconds; null where the key was not held.
  up(code, frame, reaction, fps) {
    const one = this.held.get(code);
    if (!one) return null;
    this.held.delete(code);
    const at = f => secondAfter(Math.max(0, f - reaction), fps) * fps;
    return { ...one, from: at(one.frame), until: Math.max(at(one.frame), at(frame)) };
  }
}
