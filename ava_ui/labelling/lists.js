// The strip of people with how much of each is unset, and the actions with their keys. Parts of their own, so that a
// key that changes neither draws neither.
export const People = {
  template: `<div class="label-people" role="group" aria-label="People"><button v-for="p in people" :key="p.key" v-memo="[p.name, p.unset, p.key === chosen, p.key === joining]" tabindex="-1" :aria-current="String(p.key === chosen)" :class="{open: p.unset, joining: p.key === joining}"
    @click="$emit('choose', p.key)" :aria-label="'Person ' + p.name + ', ' + (p.unset ? p.unset + ' unset' : 'all labelled')">{{ p.name }}<small>{{ p.unset || '✓' }}</small></button>
    <span v-if="!people.length">No people yet. Press Insert and draw a box around each person.</span></div>`,
  props: { people: Array, chosen: String, joining: String },
  emits: ["choose"],
};

const ALL_SHOWN = 62;

export const KeyList = {
  template: `<div class="label-keys" tabindex="0" role="group" aria-label="Actions and their keys"><template v-for="g in groups" :key="g.name"><h3 :class="{used: g.name === group}">{{ g.name.replaceAll('_', ' ') }}</h3>
    <template v-if="g.name === group || few"><button v-for="a in g.actions" :key="a.id" tabindex="-1" :title="a.description" @click="$emit('take', a.id)"><kbd>{{ keys[a.id] || '/' }}</kbd> {{ a.name.replaceAll('_', ' ') }}</button></template></template></div>`,
  props: { groups: Array, keys: Object, group: String },
  emits: ["take"],
  computed: { few() { return this.groups.reduce((sum, g) => sum + g.actions.length, 0) <= ALL_SHOWN; } },
};
