// While a send-out runs, fetch its page again and put the new state in place of the old.
const box = document.querySelector("[data-running]");
const refresh = async () => {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("progress");
  document.getElementById("progress").replaceWith(document.adoptNode(fresh));
  if (fresh.hasAttribute("data-running")) setTimeout(refresh, 3000);
};
if (box) setTimeout(refresh, 3000);
