// One job after the other on the page for labelling. The page's parts lie in a folder of their own, from which they find
// each other.
import Page from "/static/labelling/page.js";

export default {
  components: { Page },
  template: `<Page :key="at.source" :source="at.source" :sheet="at.sheet" :user="user" :frame-wanted="at.frame" @finished="$emit('finished')" @next="turn"></Page>`,
  props: { source: String, user: String, frameWanted: Number },
  emits: ["finished"],
  data() { return { at: { source: this.source, frame: this.frameWanted } }; },
  methods: {
    // The address is the next job's, so that a reload stays with it, and "back" leads to the list.
    turn(next) {
      const title = document.querySelector(".page-title"), name = `Job ${next.job}`;
      document.title = document.title.replace(title.textContent, name);
      title.textContent = name;
      history.replaceState(history.state, "", next.page);
      this.at = { source: next.source, sheet: next.sheet, frame: 0 };
    },
  },
};
