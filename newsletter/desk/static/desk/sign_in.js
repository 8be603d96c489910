// A password prompt over the page, for when the session has ended or a cookie was lost.
// Resolves to true once signed in, and to false if the user chooses to do it later.
const dialog = document.querySelector("[data-sign-in]");
let asking = null;

const setToken = (token) => {
  for (const field of document.querySelectorAll("[name=csrfmiddlewaretoken]")) field.value = token;
};

const fresh = async (url) => {
  const response = await fetch(url, { headers: { Accept: "application/json" } });
  const { token } = await response.json();
  setToken(token);
  return token;
};

const attempt = async (url) => {
  const body = new FormData();
  body.append("desk-username", dialog.querySelector("#sign-in-name").value);
  body.append("desk-password", dialog.querySelector("#sign-in-password").value);
  body.append("desk-code", dialog.querySelector("#sign-in-code").value);
  body.append("csrfmiddlewaretoken", await fresh(url));
  const response = await fetch(url, { method: "POST", body, headers: { Accept: "application/json" } });
  const answer = await response.json();
  if (answer.token) setToken(answer.token);
  return answer.error ?? "";
};

export const signInAgain = (url) => {
  asking ??= new Promise((resolve) => {
    const password = dialog.querySelector("#sign-in-password");
    const problem = dialog.querySelector("[data-sign-in-error]");
    const end = (isSignedIn) => {
      asking = null;
      password.value = dialog.querySelector("#sign-in-code").value = "";
      dialog.close();
      resolve(isSignedIn);
    };
    dialog.querySelector("form").onsubmit = async (event) => {
      event.preventDefault();
      problem.hidden = true;
      let error;
      try {
        error = await attempt(url);
      } catch (failure) {
        error = failure.message; // offline, or the server is down: it can be tried again
      }
      if (!error) return end(true);
      problem.textContent = error;
      problem.hidden = false;
      password.select();
    };
    dialog.querySelector("[data-sign-in-later]").onclick = () => end(false);
    dialog.oncancel = () => end(false);
    if (!dialog.open) dialog.showModal();
    password.focus();
  });
  return asking;
};
