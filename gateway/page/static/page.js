// The guard's page, live. Everything works without this file too, by forms and a page that loads itself anew.
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const SILENT_MS = 6000, POLL_MS = 2000, RING_MS = 4000;
  let heard = Date.now(), stream = null, title = document.title, ringing = [], visit = $("for-visit").value;
  let begun = false, bellHeard = false;

  // what stands

  const kept = (box) => {
    const values = new Map(), open = new Set();
    for (const field of box.querySelectorAll("input[id],select[id]")) values.set(field.id, field.value);
    for (const each of box.querySelectorAll("details[id][open]")) open.add(each.id);
    const active = box.contains(document.activeElement) ? document.activeElement : null;
    return { values, open, id: active && active.id, at: active && active.selectionStart };
  };

  const restore = (box, was) => {
    for (const [id, value] of was.values) { const field = $(id); if (field && box.contains(field)) field.value = value; }
    for (const id of was.open) { const each = $(id); if (each) each.open = true; }
    const active = was.id && $(was.id);
    if (!active) return;
    active.focus({ preventScroll: true });
    if (was.at !== null && was.at !== undefined && active.setSelectionRange && active.type === "text") active.setSelectionRange(was.at, was.at);
  };

  const last = {};
  const show = (state) => {
    if (state.regions) for (const [name, html] of Object.entries(state.regions)) {
      if (last[name] === html) continue;
      last[name] = html;
      const box = $(name), was = kept(box);
      box.innerHTML = html; // made by the gate's templates, which escape everything
      restore(box, was);
    }
    if (state.alarms) { const fresh = state.alarms.some((id) => !ringing.includes(id)); ringing = state.alarms; if (fresh) bell.ring(); }
    jump();
    visit = state.visit;
    follow();
    title = state.title;
    $("no-office").hidden = state.office || state.lost;
    alive(state);
  };

  // a registration is for whoever is there when it is begun, or comes first after that: from then on it stays so
  const follow = () => { if (!$("for-visit").value || ![...$("register").elements].some((each) => each.id && each.type !== "hidden" && (each.type === "checkbox" ? each.checked : each.value))) $("for-visit").value = visit; };

  const jump = () => { // an alarm that is out of sight
    const box = $("alarms").getBoundingClientRect();
    $("jump").hidden = !ringing.length || (box.top < innerHeight && box.bottom > 0);
  };
  addEventListener("scroll", jump, { passive: true });

  const alive = (state) => {
    heard = Date.now();
    if (state.at) $("at").textContent = state.at;
    lost(state.lost);
  };

  const lost = (is) => {
    const sign = $("lost"), wanted = is ? sign.dataset.title : title;
    if (sign.hidden === is) { sign.hidden = !is; if (is) bell.ring(); }
    document.body.classList.toggle("lost", is);
    if (is) $("no-office").hidden = true;
    if (document.title !== wanted) document.title = wanted;
  };

  const ended = () => { location.href = "/login?said=logged-out"; };

  const listen = () => {
    if (stream) stream.close();
    stream = new EventSource("/live");
    stream.addEventListener("now", (event) => show(JSON.parse(event.data)));
    stream.addEventListener("beat", (event) => alive(JSON.parse(event.data)));
    stream.addEventListener("end", ended);
  };

  const poll = async () => { // while the stream is down
    if (Date.now() - heard > SILENT_MS) lost(true);
    if (stream.readyState === EventSource.OPEN && Date.now() - heard < SILENT_MS) return;
    try {
      const answer = await fetch("/now", { cache: "no-store", signal: AbortSignal.timeout(4000) });
      if (answer.status === 401) return ended();
      if (!answer.ok) return;
      show(await answer.json());
      if (stream.readyState === EventSource.CLOSED) listen();
    } catch { /* the gate is away: the sign says so */ }
  };

  // doing

  const say = (text, bad) => { const box = $("said"); box.textContent = text; box.classList.toggle("bad", bad); };

  const send = async (form, button) => {
    if (button) button.disabled = true;
    try {
      const answer = await fetch(form.getAttribute("action"), { // form.action may be a field
        method: "POST", headers: { Accept: "application/json" }, body: new URLSearchParams(new FormData(form)), signal: AbortSignal.timeout(8000),
      });
      if (answer.status === 401) return ended();
      const told = await answer.json();
      say(told.text, !told.ok);
      // refused for somebody else: the guard has been told, and may mean who is there now; refused otherwise, he means whom he meant
      if (form.id === "register" && (told.ok || ["somebody-else", "visit-over"].includes(told.reason))) $("for-visit").value = visit;
      if (told.ok) { form.reset(); const box = form.closest("details"); if (box) box.open = false; if (form.contains($("bell"))) { begun = true; settled(); } }
    } catch { say($("lost").textContent.trim(), true); } finally { if (button) button.disabled = false; }
  };

  document.addEventListener("submit", (event) => {
    if (!event.target.classList.contains("js")) return;
    event.preventDefault();
    if (event.target.id === "vehicle" && $("plate").value.length > PLATE) return typed();
    send(event.target, event.submitter);
  });

  // a plate from a vehicle's papers: it is put into the field, and the guard looks at it and notes it

  const PLATE = $("plate").maxLength, LONGEST_PX = 1920, MOST_BYTES = 8 * 1024 * 1024;
  $("plate").removeAttribute("maxlength"); // what a hand scanner types is not cut off, which might look like a plate
  const papers = [...$("scan").querySelectorAll("input")];

  const smaller = async (file) => { // a JPEG without what else a telephone writes into it; as it is where this browser cannot read it
    let bitmap;
    try { bitmap = await createImageBitmap(file); } catch { return file; }
    const by = Math.min(1, LONGEST_PX / Math.max(bitmap.width, bitmap.height)), canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(bitmap.width * by)); canvas.height = Math.max(1, Math.round(bitmap.height * by));
    const pen = canvas.getContext("2d");
    pen.imageSmoothingQuality = "high"; pen.fillStyle = "#fff"; pen.fillRect(0, 0, canvas.width, canvas.height); // what is transparent is paper
    pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    return await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.9)) || file;
  };

  const read = async (address, headers, body) => {
    say($("scan").dataset.reading, false);
    for (const each of papers) each.disabled = true;
    try {
      const answer = await fetch(address, { method: "POST", headers: { Accept: "application/json", ...headers }, body, signal: AbortSignal.timeout(45000) });
      if (answer.status === 401) return ended();
      const told = await answer.json();
      if (told.ok) $("plate").value = told.plate;
      say(told.text, !told.ok);
    } catch { say($("scan").dataset.failed, true); } finally { for (const each of papers) each.disabled = false; }
  };

  const csrf = () => $("vehicle").elements.csrf.value;
  const typed = () => read("/plate/text", {}, new URLSearchParams({ csrf: csrf(), text: $("plate").value }));
  const pictured = async (event) => {
    const field = event.target, file = field.files[0];
    if (!file) return;
    say($("scan").dataset.reading, false);
    const picture = await smaller(file);
    field.value = ""; // the same picture may be chosen again
    if (picture.size > MOST_BYTES) return say($("scan").dataset.large, true);
    await read("/plate/picture", { "Content-Type": "application/octet-stream", "X-CSRF": csrf() }, picture);
    if (document.activeElement === document.body) field.focus(); // as before it was disabled
  };
  for (const each of papers) each.addEventListener("change", pictured);
  $("scan").hidden = false;

  // a reason is chosen anew each time: none is left from a form that was begun and shut again

  const release = $("release"), other = $("picked-other");
  const inWords = () => { $("other").required = other.checked; };
  release.addEventListener("change", inWords);
  release.addEventListener("reset", () => setTimeout(inWords));
  release.closest("details").addEventListener("toggle", (event) => { if (!event.target.open) release.reset(); });
  $("other").addEventListener("input", () => { if ($("other").value) { other.checked = true; inWords(); } });
  document.addEventListener("invalid", (event) => { // said in the page's language, and not in the browser's over what is to be chosen
    const form = event.target.form;
    if (!form || !form.dataset.missing) return;
    event.preventDefault();
    say(form.dataset.missing, true);
    form.querySelector("input:invalid").focus();
  }, true);

  const settled = () => { if (begun && bellHeard) $("begin").hidden = true; };
  $("bell").addEventListener("click", async (event) => { // begins the shift once; each tap rings
    if (begun) event.preventDefault();
    $("bell-asked").hidden = false;
    await bell.wake();
    bell.ring();
    $("heard").focus();
  });
  $("heard").addEventListener("click", () => { bellHeard = true; settled(); });
  $("not-heard").addEventListener("click", () => { $("not-heard-hint").hidden = false; $("bell").focus(); });

  $("begin").hidden = false;
  setInterval(poll, POLL_MS);
  setInterval(() => { if (ringing.length || !$("lost").hidden) bell.ring(); }, RING_MS);
  listen();
})();
