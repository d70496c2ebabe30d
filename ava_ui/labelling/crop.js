// One person, near and followed, over the three seconds around the current one, again and again. The video is moved
// and scaled by style alone, so that following costs the page no drawing of its own.
import { boxAt } from "./boxes.js";

const AROUND = 1.5;
const MARGIN = .35;
const EVERY = 50;
const SETTLED = 120; // ms without another key, before the video is asked for another second; until then it rests

export default {
  template: `<div class="label-crop" ref="view" role="img" :aria-label="'The chosen person around second ' + second">
    <video ref="video" :src="clip.url" muted playsinline preload="auto" tabindex="-1" :width="clip.width" :height="clip.height" @loadeddata="draw" @seeked="draw"></video><i ref="mark"></i></div>`,
  props: { clip: Object, track: Object, second: Number, still: Boolean },
  mounted() {
    this.sizes = new ResizeObserver(() => { this.size = this.$refs.view.clientWidth; this.draw(); });
    this.sizes.observe(this.$refs.view);
    this.timer = setInterval(() => this.draw(), EVERY);
    this.restart();
  },
  beforeUnmount() { clearInterval(this.timer); clearTimeout(this.soon); this.sizes.disconnect(); },
  watch: {
    second() { this.settle(); },
    track(now, before) { if (!before || now.key !== before.key) { this.last = null; this.settle(); } },
    still() { this.restart(); },
  },
  methods: {
    settle() { this.$refs.video.pause(); clearTimeout(this.soon); this.soon = setTimeout(() => this.restart(), SETTLED); },
    restart() {
      const v = this.$refs.video;
      if (!v) return;
      v.currentTime = this.still ? (this.second * this.clip.fps + .5) / this.clip.fps : Math.max(0, this.second - AROUND);
      if (this.still) v.pause(); else v.play().catch(() => {});
    },
    draw() {
      const { video: v, mark } = this.$refs;
      if (!v || !this.track || !this.size) return;
      if (!this.still && !v.seeking && (v.currentTime > this.second + AROUND || v.ended)) this.restart();
      const box = boxAt(this.track.keys, Math.floor(v.currentTime * this.clip.fps)), b = box || this.last;
      mark.hidden = !box;
      if (!b) return;
      this.last = b;
      const [width, height] = [b[2] - b[0], b[3] - b[1]], side = Math.max(width, height) * (1 + 2 * MARGIN), z = this.size / side;
      const moved = `scale(${z}) translate(${(side - b[0] - b[2]) / 2}px, ${(side - b[1] - b[3]) / 2}px)`;
      if (moved === this.moved) return;
      this.moved = v.style.transform = moved;
      Object.assign(mark.style, { width: `${width * z}px`, height: `${height * z}px`, transform: `translate(${(side - width) / 2 * z}px, ${(side - height) / 2 * z}px)` });
    },
  },
};
