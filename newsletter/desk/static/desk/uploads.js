// Says at the field that a file is too large, and doesn't send it. The server says so, too.
const megabytes = (size) => (size / 1e6).toFixed(1).replace(/\.0$/, "");

for (const input of document.querySelectorAll("input[type=file][data-max-bytes]")) {
  input.addEventListener("change", () => {
    const [file] = input.files;
    const isTooLarge = file && file.size > Number(input.dataset.maxBytes);
    input.setCustomValidity(isTooLarge ? input.dataset.tooLarge.replace("{size}", megabytes(file.size)) : "");
    input.reportValidity();
  });
  // The admin's forms have novalidate, so the browser doesn't stop them.
  input.form.addEventListener("submit", (event) => {
    if (input.validity.customError && !input.reportValidity()) event.preventDefault();
  });
}
