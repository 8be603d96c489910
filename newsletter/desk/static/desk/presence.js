// Who else has the page open. A heartbeat every 20 seconds; its answer also names the newest
// revision, so that a newer text is announced before anybody tries to save.
const EVERY = 20_000;

export const startPresence = ({ form, onNewer, onSignedOut }) => {
  const place = document.querySelector("[data-presence]");
  let activeAt = Date.now();
  for (const event of ["input", "keydown", "pointerdown"]) {
    document.addEventListener(event, () => { activeAt = Date.now(); }, { passive: true });
  }
  const show = (people) => {
    place.replaceChildren(...people.map(({ name, text }) => {
      const who = document.createElement("span");
      const avatar = document.createElement("span");
      who.className = "who";
      avatar.className = "avatar";
      avatar.setAttribute("aria-hidden", "true");
      avatar.textContent = [...name].slice(0, 2).join("").toUpperCase();
      who.append(avatar, text);
      return who;
    }));
  };
  const beat = async () => {
    const body = new FormData();
    body.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    body.append("idle", String(Math.round((Date.now() - activeAt) / 1000)));
    let response;
    try {
      response = await fetch(form.dataset.presenceUrl, {
        method: "POST", body, headers: { Accept: "application/json" },
      });
    } catch {
      return show([]); // offline: autosave says so
    }
    const isJson = response.headers.get("Content-Type")?.includes("json");
    if (response.status === 401 || (response.status === 403 && !isJson)) return onSignedOut();
    if (!response.ok || !isJson) return show([]);
    const answer = await response.json();
    show(answer.people);
    if (answer.revision > Number(form.elements.base.value)) onNewer(answer);
  };
  setInterval(beat, EVERY);
  beat();
  document.addEventListener("visibilitychange", () => { if (!document.hidden) beat(); });
  return beat;
};
