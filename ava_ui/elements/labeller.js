// The page's parts lie in a folder of their own, from which they find each other.
export { default } from "/static/labelling/page.js";
