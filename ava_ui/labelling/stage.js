// The clip with everybody's box over it: the chosen person bright and with handles, the others faint. Dragging moves
// or resizes; while `drawing`, it draws somebody new.
import { boxAt, hue, tidy } from "./boxes.js";
import Player from "./player.js";

const GRIPS = [["nw", 0, 0], ["ne", 1, 0], ["sw", 0, 1], ["se", 1, 1]];

export default {
  components: { Player },
  template: `
    <div class="label-stage" :class="{drawing}">
      <Player ref="player" :clip="clip" v-slot="{frame, scale}" @at="f => $emit('at', f)" @playing="p => $emit('playing', p)" @rate="r => $emit('rate', r)" @broken="$emit('broken')"
              @pointerdown="down($event, null)" @pointermove="move" @pointerup="up" @pointercancel="drag = null">
        <g v-for="b in boxesAt(frame)" :key="b.key" v-memo="[b.at, b.chosen, b.name, scale, locked]" :class="{faint: !b.chosen}" :transform="'translate(' + b.box[0] + ' ' + b.box[1] + ')'">
          <rect :width="b.box[2] - b.box[0]" :height="b.box[3] - b.box[1]" :fill="b.chosen ? 'transparent' : 'none'"
                :stroke="b.colour" :stroke-width="b.chosen ? 4 : 2" vector-effect="non-scaling-stroke" pointer-events="all"
                @pointerdown.stop="down($event, b)"></rect>
          <text :x="3 * scale" :y="(b.box[1] > 20 * scale ? -5 : 16) * scale" :fill="b.colour" :font-size="14 * scale" font-weight="700"
                paint-order="stroke" stroke="#000" :stroke-width="3 * scale">{{ b.name }}</text>
          <template v-if="b.chosen && !locked"><rect v-for="g in grips(b.box)" :key="g.name" class="grip" :x="g.x - 5 * scale" :y="g.y - 5 * scale" :width="10 * scale"
                :height="10 * scale" :fill="b.colour" stroke="#000" vector-effect="non-scaling-stroke" @pointerdown.stop="down($event, b, g)"></rect></template>
        </g>
        <rect v-if="drag && drag.fresh" :x="fresh[0]" :y="fresh[1]" :width="fresh[2] - fresh[0]" :height="fresh[3] - fresh[1]" fill="none" stroke="#fff"
              stroke-dasharray="6 4" vector-effect="non-scaling-stroke"></rect>
      </Player>
    </div>`,
  props: { clip: Object, tracks: Array, chosen: String, names: Object, locked: Boolean, drawing: Boolean },
  emits: ["at", "choose", "box", "drawn", "playing", "rate", "broken"],
  data() { return { drag: null }; },
  computed: { fresh() { return tidy(this.drag.box || [0, 0, 0, 0], this.clip); } },
  methods: {
    boxesAt(frame) {
      const found = [];
      for (const track of this.tracks) {
        const chosen = track.key === this.chosen, held = chosen && this.drag && this.drag.box;
        const box = held || boxAt(track.keys, frame);
        if (box) found.push({ key: track.key, box, at: box.join(), chosen, name: this.names[track.key], colour: hue(Number(this.names[track.key].replace(/\D/g, "")) || 0) });
      }
      return found.sort((a, b) => a.chosen - b.chosen);
    },
    grips(box) { return GRIPS.map(([name, x, y]) => ({ name, right: x, low: y, x: x ? box[2] - box[0] : 0, y: y ? box[3] - box[1] : 0 })); },
    down(event, box, grip) {
      const [x, y] = this.$refs.player.place(event);
      if (this.drawing) this.drag = { fresh: true, x, y, box: [x, y, x, y] };
      else if (!box) return;
      else if (!box.chosen) { this.$emit("choose", box.key); return; }
      else if (this.locked) return;
      else this.drag = { x, y, from: box.box, grip, box: null };
      event.currentTarget.ownerSVGElement ? event.currentTarget.ownerSVGElement.setPointerCapture(event.pointerId) : event.currentTarget.setPointerCapture(event.pointerId);
    },
    move(event) {
      if (!this.drag) return;
      const [x, y] = this.$refs.player.place(event), d = this.drag, [dx, dy] = [x - d.x, y - d.y];
      if (d.fresh) { this.drag = { ...d, box: [d.x, d.y, x, y] }; return; }
      const b = [...d.from];
      if (d.grip) { b[d.grip.right ? 2 : 0] += dx; b[d.grip.low ? 3 : 1] += dy; }
      else for (const i of [0, 1, 2, 3]) b[i] += i % 2 ? dy : dx;
      this.drag = { ...d, box: b };
    },
    up() {
      const d = this.drag;
      this.drag = null;
      if (!d || !d.box) return;
      const box = tidy(d.box, this.clip);
      if (box[2] - box[0] < 2 || box[3] - box[1] < 2) return;
      this.$emit(d.fresh ? "drawn" : "box", box);
    },
  },
};
