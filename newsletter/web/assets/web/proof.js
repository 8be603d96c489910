/* The proof of work of the subscription form (ALTCHA's, version 1; subscribers/antiabuse/proof_of_work.py): begun
   when the form is first used, put into a hidden field. Whatever fails here, the form works. */
"use strict";

async function solve(task) {
  const encoder = new TextEncoder();
  for (let number = 0; number <= task.maxnumber; number++) {
    const bytes = encoder.encode(task.salt + number);
    const digest = new Uint8Array(await crypto.subtle.digest(task.algorithm, bytes));
    const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
    if (hex === task.challenge) {
      const { algorithm, challenge, salt, signature } = task;
      return btoa(JSON.stringify({ algorithm, challenge, number, salt, signature }));
    }
  }
  return "";
}

for (const form of document.querySelectorAll("form[data-challenge]")) {
  let work = null;
  const begin = () => {
    work ??= fetch(form.dataset.challenge)
      .then((answer) => answer.json())
      .then(solve)
      .then((solution) => { form.elements.altcha.value = solution; })
      .catch(() => {});
  };
  // Without TLS a browser has no crypto.subtle.
  if (globalThis.crypto?.subtle) {
    form.addEventListener("focusin", begin);
    form.addEventListener("submit", (event) => {
      if (form.elements.altcha.value) return;
      event.preventDefault();
      begin();
      const patience = new Promise((done) => setTimeout(done, 8000));
      Promise.race([work, patience]).then(() => form.submit());
    });
  }
}
