"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);
  const number = new Intl.NumberFormat("en-US").format;
  const short = (n) => n >= 1e9 ? `${+(n / 1e9).toFixed(1)}G` : n >= 1e6 ? `${+(n / 1e6).toFixed(1)}M` : n >= 1e4 ? `${+(n / 1e3).toFixed(0)}k` : number(n);
  const el = (tag, props, ...children) => {
    const node = Object.assign(document.createElement(tag), props);
    node.append(...children);
    return node;
  };

  // Theme: the system's until a person chooses; a page opened from a file may have no storage.
  const themes = ["auto", "light", "dark"];
  const store = { get: () => { try { return localStorage.getItem("winnow-theme"); } catch { return null; } },
    set: (v) => { try { localStorage.setItem("winnow-theme", v); } catch { /* not kept */ } } };
  let theme = themes.includes(store.get()) ? store.get() : "auto";
  const applyTheme = () => {
    if (theme === "auto") delete root.dataset.theme; else root.dataset.theme = theme;
    byId("theme").textContent = `Theme: ${theme}`;
  };
  byId("theme").hidden = false;
  byId("theme").addEventListener("click", () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    store.set(theme);
    applyTheme();
  });
  applyTheme();

  // Flow of documents and characters.
  const good = new Set(["Published", "Published text"]);
  const through = new Set(["Read", "Repaired", "Undamaged", "Decoded text", "Repaired text", "Added by repair"]);
  const paint = (name) => good.has(name) ? "var(--grain)" : through.has(name) ? "var(--soft)" : "var(--husk)";
  function drawFlow(box, links) {
    const width = box.clientWidth, narrow = width < 560;
    const names = [...new Set(links.flatMap((l) => [l[0], l[1]]))];
    const ends = names.filter((n) => !links.some((l) => l[0] === n));
    const height = Math.max(narrow ? 280 : 250, ends.length * (narrow ? 62 : 44));
    const right = narrow ? 108 : 190;
    const graph = d3.sankey().nodeId((d) => d.name).nodeWidth(narrow ? 8 : 12).nodePadding(narrow ? 32 : 20)
      .nodeAlign(d3.sankeyLeft).nodeSort(null).linkSort(null).extent([[0, 14], [width - right, height - 6]])({
        nodes: names.map((name) => ({ name })),
        links: links.map(([source, target, value]) => ({ source, target, value })),
      });
    const svg = d3.create("svg").attr("width", width).attr("height", height).attr("viewBox", [0, 0, width, height]);
    svg.append("g").attr("fill", "none").selectAll("path").data(graph.links).join("path")
      .attr("d", d3.sankeyLinkHorizontal()).attr("stroke", (d) => paint(d.target.name))
      .attr("stroke-opacity", (d) => good.has(d.target.name) ? .42 : .26).attr("stroke-width", (d) => Math.max(1, d.width))
      .append("title").text((d) => `${d.source.name} to ${d.target.name}: ${number(d.value)}`);
    svg.append("g").selectAll("rect").data(graph.nodes).join("rect").attr("x", (d) => d.x0).attr("y", (d) => d.y0)
      .attr("width", (d) => d.x1 - d.x0).attr("height", (d) => Math.max(1.5, d.y1 - d.y0)).attr("rx", 1).attr("fill", (d) => paint(d.name));
    const label = svg.append("g").attr("font-size", narrow ? 12 : 13).attr("fill", "var(--ink)").selectAll("text").data(graph.nodes)
      .join("text").attr("transform", (d) => `translate(${d.x1 + 8},${(d.y0 + d.y1) / 2})`);
    label.append("tspan").attr("dy", narrow ? "-0.25em" : "0.34em").attr("font-weight", (d) => good.has(d.name) ? 600 : 400).text((d) => d.name);
    label.append("tspan").attr("fill", "var(--soft)").attr("x", narrow ? 0 : null).attr("dx", narrow ? 0 : 6).attr("dy", narrow ? "1.15em" : null)
      .text((d) => narrow ? short(d.value) : number(d.value));
    box.replaceChildren(svg.node());
  }

  // Distributions and trends.
  const look = { background: "none", color: "currentColor", fontFamily: "inherit", fontSize: "12px", overflow: "visible" };
  function drawLengths(box) {
    const bins = data.lengths.map(([low, high, n]) => ({ low, high, n }));
    const counts = d3.ticks(0, d3.max(bins, (d) => d.n), 4).filter(Number.isInteger);
    box.replaceChildren(Plot.plot({
      width: box.clientWidth, height: 220, marginLeft: 44, marginBottom: 34, marginTop: 14, style: look,
      x: { type: "log", label: null, tickFormat: short, ticks: box.clientWidth < 500 ? 4 : 7, tickSize: 0 },
      y: { label: null, ticks: counts, tickSize: 0, tickFormat: short },
      marks: [
        Plot.gridY({ ticks: counts, stroke: "var(--rule)", strokeOpacity: 1 }),
        Plot.rectY(bins, { x1: "low", x2: "high", y: "n", fill: "var(--grain)", insetLeft: .5, insetRight: .5,
          title: (d) => `${number(Math.round(d.low))} to ${number(Math.round(d.high))} characters: ${number(d.n)} documents` }),
        Plot.ruleX([Math.max(data.median, 1)], { stroke: "var(--ink)", strokeDasharray: "2,3" }),
        Plot.text([Math.max(data.median, 1)], { x: (d) => d, text: () => "median", frameAnchor: "top", dy: -12, fill: "var(--soft)" }),
        Plot.ruleY([0], { stroke: "var(--husk)" }),
      ],
    }));
  }
  function drawMetric(box) {
    const metric = data.metrics[+box.dataset.metric];
    const points = metric.points.map(([version, value]) => ({ version, value })).filter((p) => p.value !== null);
    const top = d3.max(points, (p) => p.value) || 1;
    const last = points[points.length - 1];
    const versions = points.map((p) => p.version);
    box.replaceChildren(Plot.plot({
      width: box.clientWidth, height: 110, marginLeft: 2, marginRight: 10, marginTop: 8, marginBottom: 24, style: look,
      x: { label: null, ticks: [...new Set([versions[0], last && last.version])], tickFormat: (v) => `v${v}`, tickSize: 0,
        domain: versions.length > 1 ? [versions[0], last.version] : undefined },
      y: { axis: null, domain: [0, top * 1.08] },
      marks: [
        Plot.ruleY([0], { stroke: "var(--rule)" }),
        Plot.areaY(points, { x: "version", y: "value", fill: "var(--grain)", fillOpacity: .13 }),
        Plot.lineY(points, { x: "version", y: "value", stroke: "var(--grain)", strokeWidth: 1.75 }),
        Plot.dot(points, { x: "version", y: "value", r: 7, fill: "transparent", title: (d) => `version ${d.version}: ${metric.format === "share" ? `${+(100 * d.value).toFixed(2)} %` : number(+d.value.toFixed(2))}` }),
        Plot.dot(last ? [last] : [], { x: "version", y: "value", r: 3.5, fill: "var(--accent)" }),
      ],
    }));
  }
  const charts = [];
  const chart = (box, draw) => { if (box) charts.push([box, draw]); };
  chart(byId("flow-documents"), (box) => drawFlow(box, data.documents_flow));
  chart(byId("flow-characters"), (box) => drawFlow(box, data.characters_flow));
  chart(byId("lengths"), drawLengths);
  document.querySelectorAll("[data-metric]").forEach((box) => chart(box, drawMetric));
  const drawn = new WeakMap();
  const drawAll = () => charts.forEach(([box, draw]) => {
    if (drawn.get(box) === box.clientWidth) return;
    drawn.set(box, box.clientWidth);
    draw(box);
    // Marks inside repeat what the box's own label says.
    box.querySelectorAll("svg").forEach((svg) => svg.setAttribute("aria-hidden", "true"));
  });
  drawAll();
  let timer;
  addEventListener("resize", () => { clearTimeout(timer); timer = setTimeout(drawAll, 120); });
  addEventListener("beforeprint", () => document.querySelectorAll("details.tally").forEach((d) => { d.open = true; }));

  // The list of documents.
  const [ID, TITLE, SOURCE, LANGUAGE, CHARS, EDITS, REMOVED] = [0, 1, 2, 3, 4, 5, 6];
  const rows = data.list;
  const keys = rows.map((r) => `${r[TITLE]}\n${r[SOURCE]}\n${r[ID]}\n${r[LANGUAGE]}`.toLowerCase());
  const body = document.querySelector("#documents-list tbody");
  const STEP = 20;
  let shown = STEP, hits = [];
  function row(r) {
    const name = r[TITLE] || r[SOURCE];
    const title = el("bdi", { textContent: name });
    const cell = el("td", {});
    if (data.samples[r[ID]]) {
      const button = el("button", { type: "button" }, title);
      button.addEventListener("click", () => read(r, button));
      cell.append(el("span", { className: "title" }, button));
    } else {
      cell.append(el("span", { className: "title" }, title));
    }
    if (r[TITLE]) cell.append(el("bdi", { className: "where", textContent: r[SOURCE] }));
    const count = (n) => el("td", { className: "n", textContent: n ? number(n) : "–" });
    return el("tr", {}, cell, el("td", { textContent: r[LANGUAGE] || "–" }), count(r[CHARS]), count(r[EDITS]), count(r[REMOVED]));
  }
  function list() {
    body.replaceChildren(...hits.slice(0, shown).map((i) => row(rows[i])));
    byId("found").textContent = `${number(hits.length)} of ${number(rows.length)}`;
    const left = hits.length - shown;
    byId("show-more").hidden = left <= 0;
    byId("show-more").textContent = `Show ${number(Math.min(left, 5 * STEP))} more`;
  }
  function search() {
    const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    hits = rows.map((_, i) => i).filter((i) => words.every((w) => keys[i].includes(w)));
    shown = STEP;
    list();
  }
  byId("search").addEventListener("input", search);
  byId("show-more").addEventListener("click", () => { shown += 5 * STEP; list(); });
  search();

  // One document side by side. A piece is a string, or [raw, clean, rules, removed].
  function read(r, button) {
    const sample = data.samples[r[ID]];
    const panes = { raw: [], clean: [] };
    for (const piece of sample.pieces) {
      const [raw, clean, rules, gone] = typeof piece === "string" ? [piece, piece, "", ""] : piece;
      for (const [side, text, mark] of [["raw", raw, "was"], ["clean", clean, "now"]]) {
        if (!text) continue;
        let node = document.createTextNode(text);
        if (rules) node = el("span", { className: mark, title: rules }, node);
        if (gone) node = el("span", { className: "gone", title: `removed: ${gone}` }, node);
        panes[side].push(node);
      }
    }
    if (sample.cut) {
      for (const side of ["raw", "clean"]) panes[side].push(el("p", { className: "empty", textContent: `${number(sample.cut)} characters are not shown; winnow explain ${r[ID]} shows them all.` }));
    }
    byId("raw").replaceChildren(...panes.raw);
    byId("clean").replaceChildren(...panes.clean);
    byId("reader-title").textContent = r[TITLE] || r[SOURCE];
    byId("reader-where").textContent = `${r[SOURCE]} · ${r[ID]}`;
    body.querySelectorAll("tr.open").forEach((tr) => tr.classList.remove("open"));
    button.closest("tr").classList.add("open");
    opener = button;
    byId("reader").hidden = false;
    byId("reader").focus({ preventScroll: true });
    byId("reader").scrollIntoView({ block: "start" });
    for (const pane of document.querySelectorAll(".pane")) {
      const first = pane.querySelector(".was, .now, .gone");
      pane.scrollTop = first ? first.offsetTop - pane.clientHeight / 4 : 0;
    }
  }
  // The panes move together, each in its own measure: they differ in length.
  const panes = [...document.querySelectorAll(".pane")];
  let leader = null;
  panes.forEach((pane, i) => {
    for (const kind of ["pointerenter", "focusin", "touchstart", "wheel"]) pane.addEventListener(kind, () => { leader = pane; }, { passive: true });
    pane.addEventListener("scroll", () => {
      if (leader !== pane) return;
      const other = panes[1 - i];
      other.scrollTop = pane.scrollTop / Math.max(1, pane.scrollHeight - pane.clientHeight) * (other.scrollHeight - other.clientHeight);
    });
  });
  let opener = null;
  byId("close").addEventListener("click", () => {
    byId("reader").hidden = true;
    opener?.closest("tr")?.classList.remove("open");
    opener?.focus();
  });
  byId("show-gone").addEventListener("change", (event) => byId("reader").classList.toggle("hide-gone", !event.target.checked));

  // Which section is in view.
  const marks = new Map([...document.querySelectorAll("nav a")].map((a) => [a.getAttribute("href").slice(1), a]));
  const seen = new IntersectionObserver((entries) => entries.forEach((entry) => {
    if (!entry.isIntersecting) return;
    marks.forEach((a) => a.classList.remove("here"));
    marks.get(entry.target.id)?.classList.add("here");
  }), { rootMargin: "-20% 0px -70% 0px" });
  document.querySelectorAll("main > section").forEach((s) => seen.observe(s));
})();
