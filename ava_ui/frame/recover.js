// An open page comes back by itself: after a restart, after a sleep, and to the login where its session has ended.
// NiceGUI connects again on its own; what it gives up on, or is turned away from, is found here by asking for the page.
(() => {
  const EVERY = 3000;
  let answered = 0;
  const lost = () => document.getElementById("popup")?.ariaHidden === "false";

  setInterval(async () => {
    if (!lost()) { answered = 0; return; }
    try {
      const answer = await fetch(location.href, { method: "HEAD", redirect: "manual", cache: "no-store",
                                                  headers: { Accept: "text/html" } });
      // A console that answers has a moment to take its page up again before the page is loaded anew.
      const turnedAway = answer.type === "opaqueredirect" || answer.status === 401;
      answered = answer.status < 500 ? answered + 1 : 0;
      if (lost() && (turnedAway || answered > 2)) location.reload();
    } catch { answered = 0; }
  }, EVERY);
})();
