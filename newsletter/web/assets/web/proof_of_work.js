/* The proof of work of forms that take an address (ALTCHA, version 1; subscribers/antiabuse/form_checks.py).
   It starts when the form gets focus and fills in a hidden field. If anything fails here, the form still works. */
"use strict";

async function solve(challenge) {
  const encoder = new TextEncoder();
  for (let number = 0; number <= challenge.maxnumber; number++) {
    const bytes = encoder.encode(challenge.salt + number);
    const digest = new Uint8Array(await crypto.subtle.digest(challenge.algorithm, bytes));
    const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
    if (hex === challenge.challenge) {
      return btoa(JSON.stringify({ ...challenge, number }));
    }
  }
  return "";
}

for (const form of document.querySelectorAll("form[data-challenge]")) {
  let solving = null;
  const start = () => {
    solving ??= fetch(form.dataset.challenge)
      .then((response) => response.json())
      .then(solve)
      .then((solution) => { form.elements.altcha.value = solution; })
      .catch(() => {});
  };
  // Without TLS a browser has no crypto.subtle.
  if (globalThis.crypto?.subtle) {
    form.addEventListener("focusin", start);
    form.addEventListener("submit", (event) => {
      if (form.elements.altcha.value) return;
      event.preventDefault();
      start();
      const timeout = new Promise((resolve) => setTimeout(resolve, 8000));
      Promise.race([solving, timeout]).then(() => form.submit());
    });
  }
}
