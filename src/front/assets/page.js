// Sorting and filtering of tables in place, copy buttons, times that stay current, parts that follow events. Pages are whole without it.
"use strict";
(() => {
  const TIMES_EVERY_MS = 30000;
  const FILTER_FROM_ROWS = 12;
  const LIVE_MOST_CHARACTERS = 1000000;
  const LOG_MOST_LINES = 20000;
  const GUTTER_PX = 56;

  function relative(seconds) {
    const amount = Math.abs(seconds);
    if (amount < 5) return "just now";
    const [count, unit] =
      amount < 90 ? [amount, "s"]
      : amount < 5400 ? [Math.round(amount / 60), "m"]
      : amount < 129600 ? [Math.round(amount / 3600), "h"]
      : amount < 5259600 ? [Math.round(amount / 86400), "d"]
      : amount < 63072000 ? [Math.floor(amount / 2629800), " months"]
      : [Math.floor(amount / 31557600), "y"];
    const told = `${Math.round(count)}${unit}`;
    return seconds < 0 ? `${told} ago` : `in ${told}`;
  }

  function tellTimes() {
    const now = Date.now();
    for (const element of document.querySelectorAll("time[datetime]")) {
      const then = Date.parse(element.dateTime);
      if (!Number.isNaN(then)) element.textContent = relative(Math.round((then - now) / 1000));
    }
  }

  function order(row, index) {
    const cell = row.cells[index];
    return cell.dataset.order ?? cell.textContent.trim();
  }

  function sortBy(table, index) {
    const heading = table.tHead.rows[0].cells[index];
    const down = heading.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const collator = new Intl.Collator(undefined, { numeric: true });
    const rows = [...table.tBodies[0].rows];
    const numeric = rows.every((row) => order(row, index) !== "" && !Number.isNaN(Number(order(row, index))));
    rows.sort((left, right) => {
      const [a, b] = [order(left, index), order(right, index)];
      const way = numeric ? Number(a) - Number(b) : collator.compare(a, b);
      return down ? -way : way;
    });
    table.tBodies[0].append(...rows);
  }

  function addFilter(table) {
    const input = document.createElement("input");
    input.type = "search";
    input.className = "filter";
    input.placeholder = "show rows with …";
    input.setAttribute("aria-label", "show only rows that contain");
    input.addEventListener("input", () => {
      const wanted = input.value.toLowerCase();
      for (const row of table.tBodies[0].rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
    });
    (table.closest(".scroll") ?? table).before(input);
  }

  for (const table of document.querySelectorAll("table.list")) {
    [...table.tHead.rows[0].cells].forEach((heading, index) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = heading.textContent;
      button.addEventListener("click", () => sortBy(table, index));
      heading.replaceChildren(button);
    });
    if (table.tBodies[0].rows.length >= FILTER_FROM_ROWS) addFilter(table);
  }

  // The clipboard is there only on https and localhost; elsewhere the title has the whole text.
  if (navigator.clipboard) {
    for (const element of document.querySelectorAll("[data-copy]")) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "copy";
      button.textContent = "copy";
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(element.dataset.copy);
        button.textContent = "copied";
      });
      element.after(button);
    }
  }

  // Parts that follow what happens. At the end of the text they stay there, else they leave the reader alone.
  for (const element of document.querySelectorAll("[data-live]")) {
    element.scrollTop = element.scrollHeight;
    const source = new EventSource(element.dataset.live);
    source.addEventListener("message", (event) => {
      const atEnd = element.scrollTop + element.clientHeight >= element.scrollHeight - 4;
      const whole = element.textContent;
      const kept = whole.length > LIVE_MOST_CHARACTERS ? whole.slice(whole.indexOf("\n", LIVE_MOST_CHARACTERS / 4) + 1) : whole;
      element.textContent = kept === "" ? event.data : `${kept}\n${event.data}`;
      if (atEnd) element.scrollTop = element.scrollHeight;
    });
  }

  // Parts that change, and logs of numbered lines that grow. The server says when nothing more will happen.
  function isAtEnd(element) {
    return element.scrollTop + element.clientHeight >= element.scrollHeight - 4;
  }

  function addLines(log, html) {
    let number = Number(log.lastElementChild?.dataset.line ?? log.dataset.lines ?? 0);
    const known = log.lastElementChild;
    log.insertAdjacentHTML("beforeend", html);
    for (let line = known ? known.nextElementSibling : log.firstElementChild; line; line = line.nextElementSibling) {
      line.dataset.line = ++number;
      line.id = `L${number}`;
    }
    while (log.childElementCount > LOG_MOST_LINES) log.firstElementChild.remove();
  }

  function replacePart({ id, html }) {
    const part = document.getElementById(id);
    // What somebody is using is left alone.
    if (!part || part.innerHTML === html || part.contains(document.activeElement)) return;
    part.innerHTML = html;
    tellTimes();
  }

  function addFollowBox(log) {
    const label = document.createElement("label");
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = location.hash === "" || location.hash === "#bottom";
    label.append(box, " follow");
    label.className = "follow";
    log.before(label);
    const toEnd = () => { if (box.checked) log.scrollTop = log.scrollHeight; };
    box.addEventListener("change", toEnd);
    log.addEventListener("scroll", () => { box.checked = isAtEnd(log); });
    toEnd();
    return toEnd;
  }

  for (const element of document.querySelectorAll("[data-follow]")) {
    const isLog = element.matches(".lines");
    const toEnd = isLog ? addFollowBox(element) : () => {};
    const source = new EventSource(element.dataset.follow);
    source.addEventListener("lines", (event) => {
      addLines(element, event.data);
      toEnd();
    });
    source.addEventListener("part", (event) => replacePart(JSON.parse(event.data)));
    source.addEventListener("end", () => source.close());
  }

  // The number of a line is a link to it.
  for (const log of document.querySelectorAll(".lines")) {
    log.addEventListener("click", (event) => {
      const line = event.target.closest(".line");
      if (line && event.offsetX < GUTTER_PX && String(getSelection()) === "") location.hash = line.id;
    });
  }

  tellTimes();
  setInterval(tellTimes, TIMES_EVERY_MS);
})();
