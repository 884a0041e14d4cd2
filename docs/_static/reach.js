// What scrolls sideways can be reached by keyboard: code, and tables wider than the page.
const scrolling = () => {
  for (const box of document.querySelectorAll(".highlight pre, .table-wrapper, .sig, figure.lesson, .house, .output pre")) {
    const wider = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight + 1;
    if (wider) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
};
addEventListener("load", scrolling);
addEventListener("resize", scrolling);
addEventListener("toggle", scrolling, true);
