// What opens over the page: the list of keys, finding an action by name, and what is still unset.
import { COMMANDS, matching } from "./keys.js";

export const KeySheet = {
  template: `
    <div class="label-over" role="dialog" aria-modal="true" aria-label="Keys"><div class="label-card" tabindex="-1" ref="card">
      <h2>Keys</h2><p v-if="changing">Press the new key of <b>{{ changing.name }}</b>, a letter or digit; press Escape to cancel.</p>
      <div class="label-two"><table class="keys"><tr v-for="[key, what] in commands" :key="key"><td>{{ key }}</td><td>{{ what }}</td></tr></table>
        <div tabindex="0" aria-label="Keys of actions" role="group"><template v-for="g in groups" :key="g.name"><h3>{{ g.name.replaceAll('_', ' ') }}{{ g.kind === 'multi' ? ', up to ' + g.most : '' }}</h3>
          <table class="keys"><tr v-for="a in g.actions" :key="a.id"><td><button :aria-label="'Change the key of ' + a.name" @click="$emit('change', a)">{{ keys[a.id] || '/' }}</button></td>
            <td><b>{{ a.name.replaceAll('_', ' ') }}</b> {{ a.description }}
              <span v-if="a.examples.length" class="label-examples"><picture v-for="(e, n) in a.examples" :key="e.loop"><source :srcset="e.still" media="(prefers-reduced-motion: reduce)">
                <img :src="e.loop" loading="lazy" width="96" height="96" :alt="'Example ' + (n + 1) + ' of ' + a.name.replaceAll('_', ' ')"></picture></span></td></tr></table></template></div></div>
      <button @click="$emit('reset')">Reset to the ontology's keys</button> <button @click="$emit('close')">Close</button></div></div>`,
  props: { groups: Array, keys: Object, changing: Object },
  emits: ["change", "reset", "close"],
  data() { return { commands: COMMANDS }; },
  mounted() { this.$refs.card.focus(); },
};

export const Finder = {
  template: `
    <div class="label-over" role="dialog" aria-modal="true" aria-label="Find an action"><div class="label-card">
      <label>Action <input ref="text" v-model="text" autocomplete="off" role="combobox" aria-expanded="true" aria-controls="label-found" aria-autocomplete="list"
        :aria-activedescendant="found.length ? 'label-found-' + at : undefined" @keydown="key" @input="at = 0"></label>
      <ul id="label-found" role="listbox" aria-label="Actions"><li v-for="(f, n) in found" :key="f.action.id" :id="'label-found-' + n" role="option" :aria-selected="String(n === at)" @click="take(n, $event)">
        <b>{{ f.action.name.replaceAll('_', ' ') }}</b> <small>{{ f.group.name.replaceAll('_', ' ') }} · {{ f.action.description }}</small></li></ul></div></div>`,
  props: { groups: Array },
  emits: ["take", "close"],
  data() { return { text: "", at: 0 }; },
  computed: { found() { return matching(this.groups, this.text).slice(0, 12); } },
  mounted() { this.$refs.text.focus(); },
  methods: {
    take(n, event) { const f = this.found[n]; if (f) this.$emit("take", f.action.id, event.shiftKey ? "whole" : event.altKey ? "second" : "on"); },
    key(event) {
      const steps = { ArrowDown: 1, ArrowUp: -1 };
      if (event.key in steps) this.at = Math.max(0, Math.min(this.at + steps[event.key], this.found.length - 1));
      else if (event.key === "Enter") this.take(this.at, event);
      else if (event.key === "Escape") this.$emit("close");
      else return;
      event.preventDefault();
    },
  },
};

export const Unset = {
  template: `
    <div class="label-over" role="dialog" aria-modal="true" aria-label="Unset answers"><div class="label-card">
      <h2>{{ total }} unanswered</h2><p>Answer them, or mark them as cannot tell.</p>
      <ul class="label-list"><li v-for="u in list.slice(0, 200)" :key="u.key + u.group"><button @click="$emit('go', u)">person {{ u.name }} · {{ u.group.replaceAll('_', ' ') }} · from second {{ u.second }}, {{ u.count }} s</button></li></ul>
      <button ref="first" @click="$emit('close')">Keep labelling</button> <button @click="$emit('unclear')">Mark all as cannot tell and finish</button></div></div>`,
  props: { list: Array },
  emits: ["go", "close", "unclear"],
  computed: { total() { return this.list.reduce((sum, u) => sum + u.count, 0); } },
  mounted() { this.$refs.first.focus(); },
};
