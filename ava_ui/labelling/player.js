// A clip that plays, wherever one does: the picture, the frame it shows, and over it what the slot draws in the clip's
// own measure (`scale`: units of it a pixel). What listens to the pointer listens to the drawing.
import { frameAt, secondsOn, timeOf } from "./boxes.js";

const SLOWEST = .25, FASTEST = 4;

export default {
  inheritAttrs: false,
  template: `
    <div class="player-stage" ref="stage">
      <video ref="video" :src="clip.url" muted playsinline preload="auto" tabindex="-1" :aria-label="'Clip ' + clip.id"
             @loadeddata="tick" @seeked="arrived" @play="run" @pause="tick" @error="$emit('broken')"></video>
      <svg v-bind="$attrs" :viewBox="'0 0 ' + clip.width + ' ' + clip.height" preserveAspectRatio="none" aria-hidden="true"><slot :frame="frame" :scale="scale"></slot></svg>
    </div>`,
  props: { clip: Object },
  emits: ["at", "playing", "rate", "broken"],
  data() { return { time: 0, scale: 1 }; },
  computed: { frame() { return frameAt(this.time, this.clip); } },
  watch: { frame(now) { this.$emit("at", now); } },
  mounted() {
    // Names are as large on a small picture as on a large one.
    this.sizes = new ResizeObserver(() => { this.scale = this.clip.width / (this.$refs.stage.clientWidth || this.clip.width); });
    this.sizes.observe(this.$refs.stage);
  },
  beforeUnmount() { this.sizes.disconnect(); cancelAnimationFrame(this.soon); },
  methods: {
    tick() { const v = this.$refs.video; if (v && this.wanted === undefined) { this.time = v.currentTime; this.$emit("playing", !v.paused); } },
    run() { this.tick(); if (this.$refs.video && !this.$refs.video.paused) requestAnimationFrame(() => this.run()); },
    toggle() { const v = this.$refs.video; v.paused ? v.play() : v.pause(); },
    speed(rate) { this.$refs.video.playbackRate = Math.max(SLOWEST, Math.min(rate, FASTEST)); this.$emit("rate", this.$refs.video.playbackRate); },
    faster(by) { this.speed(this.$refs.video.playbackRate * by); },
    // What lies over the picture is there at once; the picture itself follows once that has been drawn.
    seek(frame) {
      this.$refs.video.pause();
      this.time = this.wanted = timeOf(frame, this.clip);
      this.$emit("at", this.frame);
      cancelAnimationFrame(this.soon);
      this.soon = requestAnimationFrame(() => { this.soon = requestAnimationFrame(() => { if (!this.$refs.video.seeking) this.arrived(); }); });
    },
    byFrames(n) { this.seek(this.frame + n); },
    bySeconds(n) { this.seek(secondsOn(this.frame, n, this.clip)); },
    // One seek at a time: of the frames that were asked for meanwhile, the video goes to the last.
    arrived() {
      if (this.wanted !== undefined) this.$refs.video.currentTime = this.wanted;
      this.wanted = undefined;
      this.tick();
    },
    // Where the pointer is, in the clip's measure.
    place(event) {
      const r = this.$refs.stage.querySelector("svg").getBoundingClientRect();
      return [(event.clientX - r.left) / r.width * this.clip.width, (event.clientY - r.top) / r.height * this.clip.height];
    },
  },
};
