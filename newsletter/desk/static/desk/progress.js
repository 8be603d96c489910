// While a mailing is being sent, reload its page every three seconds and replace the progress.
const box = document.querySelector("[data-running]");
const refresh = async () => {
  const response = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!response.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const fresh = page.getElementById("progress");
  document.getElementById("progress").replaceWith(document.adoptNode(fresh));
  if (fresh.hasAttribute("data-running")) setTimeout(refresh, 3000);
};
if (box) setTimeout(refresh, 3000);
