// The log-in page of a tablet at the wall: nobody is logged in, and it goes on showing the lane and the alarms, and ringing.
"use strict";
(() => {
  const $ = (id) => document.getElementById(id), box = $("watch");
  if (!box) return; // nobody has ever logged in here
  const SILENT_MS = 6000, POLL_MS = 2000, RING_MS = 4000, mine = document.title, last = {};
  let heard = Date.now(), ringing = [], timer = 0, asking = false;

  const lost = (is) => {
    if (is) { box.hidden = false; document.title = box.dataset.lost; }
    if (is && $("lost").hidden) bell.ring();
    $("lost").hidden = !is;
    document.body.classList.toggle("lost", is);
  };

  const show = (state) => {
    heard = Date.now();
    for (const [name, html] of Object.entries(state.regions)) {
      if (last[name] === html) continue;
      last[name] = html;
      $(name).innerHTML = html; // made by the gate's templates, which escape everything
    }
    box.hidden = false;
    box.parentElement.classList.add("watching");
    document.title = state.title || mine;
    const fresh = state.alarms.some((id) => !ringing.includes(id));
    ringing = state.alarms;
    if (fresh) bell.ring();
    lost(state.lost);
  };

  const poll = async () => {
    if (asking) return;
    asking = true;
    try {
      const answer = await fetch("/watch", { cache: "no-store", signal: AbortSignal.timeout(8000) });
      if (answer.status === 401) { // the gate knows nobody of this tablet any more
        clearInterval(timer);
        ringing = [];
        lost(false);
        document.title = mine;
        box.remove();
        return;
      }
      if (answer.ok) show(await answer.json());
    } catch { /* the gate is away: the sign says so */ } finally { asking = false; }
  };

  const ready = () => { if (box.isConnected) $("mute").hidden = !bell.mute; };
  const tapped = () => { bell.wake().then(ready); };
  for (const kind of ["pointerup", "keydown"]) document.addEventListener(kind, tapped);
  bell.wake().then(ready); // the guard has tapped on the page that this one came after: then the browser lets it sound at once
  timer = setInterval(() => {
    if (Date.now() - heard > SILENT_MS) lost(true);
    ready();
    poll();
  }, POLL_MS);
  setInterval(() => { if (box.isConnected && (ringing.length || !$("lost").hidden)) bell.ring(); }, RING_MS);
  poll();
})();
