"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const table = document.getElementById("cars-table");
  const body = table.tBodies[0];
  const rows = [...body.rows];

  // The table: sorted by a click on its heading, filtered by name and state.
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    const button = heading.querySelector("button");
    if (!button) return;
    button.addEventListener("click", () => {
      const up = heading.getAttribute("aria-sort") !== "ascending";
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", up ? "ascending" : "descending");
      const value = (row) => (row.cells[column] ? row.cells[column].dataset.value ?? "" : "");
      const isText = heading.classList.contains("name") || heading.classList.contains("text");
      const compare = isText
        ? (a, b) => value(a).localeCompare(value(b), undefined, { numeric: true })
        : (a, b) => numeric(value(a)) - numeric(value(b));
      const failed = (row) => (row.dataset.state.includes("error") ? 1 : 0);
      rows.sort((a, b) => failed(a) - failed(b) || (up ? compare(a, b) : compare(b, a)));
      body.append(...rows);
    });
  });

  function numeric(text) {
    return text === "" ? Infinity : Number(text);
  }

  const find = document.getElementById("find");
  const show = document.getElementById("show");
  const count = document.getElementById("count");
  function filter() {
    const text = find.value.trim().toLowerCase();
    let shown = 0;
    for (const row of rows) {
      const fits = row.dataset.name.includes(text) && (show.value === "all" || row.dataset.state.split(" ").includes(show.value));
      row.hidden = !fits;
      shown += fits;
    }
    count.textContent = shown === rows.length ? `${rows.length} cars` : `${shown} of ${rows.length} cars`;
  }
  find.addEventListener("input", filter);
  show.addEventListener("change", filter);
  filter();

  // Cd against a parameter.
  const svg = document.getElementById("scatter");
  const across = document.getElementById("across");
  const box = { left: 70, right: 1100, top: 30, bottom: 370 };

  function draw(name, attributes, text) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    svg.append(element);
    return element;
  }

  function ticks(low, high, n) {
    const rough = (high - low) / n;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= rough * 0.999);
    const found = [];
    for (let value = Math.ceil(low / step - 1e-9) * step; value <= high + 1e-9 * step; value += step) found.push(value);
    const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    return found.map((value) => [value, value.toFixed(digits)]);
  }

  function span(values) {
    const low = Math.min(...values), high = Math.max(...values);
    const edge = (high - low || Math.abs(high) || 1) * 0.06;
    return [low - edge, high + edge];
  }

  function plot() {
    svg.replaceChildren();
    const points = data.cars.map((car) => ({ ...car, x: car.values[across.value] })).filter((car) => car.x !== undefined && car.x !== null);
    if (!points.length) {
      draw("text", { x: 560, y: 200, "text-anchor": "middle" }, "no car has this parameter");
      return;
    }
    const words = points.some((car) => typeof car.x !== "number");
    const names = words ? [...new Set(points.map((car) => String(car.x)))].sort() : [];
    const place = (car) => (words ? names.indexOf(String(car.x)) : car.x);
    const [left, right] = words ? [-0.5, names.length - 0.5] : span(points.map(place));
    const [low, high] = span(points.flatMap((car) => (car.outside || car.low === null ? [car.cd] : [car.low, car.high])));
    const atX = (x) => box.left + ((x - left) / (right - left)) * (box.right - box.left);
    const atY = (y) => box.bottom - ((y - low) / (high - low)) * (box.bottom - box.top);
    for (const [value, label] of ticks(low, high, 7)) {
      draw("line", { x1: box.left, x2: box.right, y1: atY(value), y2: atY(value), stroke: "#e6e8ec" });
      draw("text", { x: box.left - 8, y: atY(value) + 4, "text-anchor": "end" }, label);
    }
    const marks = words ? names.map((name, i) => [i, name.length > 22 ? `${name.slice(0, 21)}…` : name]) : ticks(left, right, 9);
    for (const [value, label] of marks) draw("text", { x: atX(value), y: box.bottom + 20, "text-anchor": "middle" }, label);
    draw("line", { x1: box.left, x2: box.right, y1: box.bottom, y2: box.bottom, stroke: "#8a9099" });
    draw("text", { x: (box.left + box.right) / 2, y: box.bottom + 46, "text-anchor": "middle" }, across.selectedOptions[0].textContent);
    draw("text", { x: box.left - 8, y: box.top - 8, "text-anchor": "end" }, "Cd");
    for (const car of points) {
      const x = atX(place(car)), y = atY(car.cd);
      if (!car.outside && car.low !== null)
        draw("line", { x1: x, x2: x, y1: atY(car.low), y2: atY(car.high), stroke: data.accent, "stroke-opacity": 0.3 });
      const mark = car.outside
        ? draw("path", { d: `M${x} ${y - 6}l6 10h-12z`, fill: "#fff", stroke: "#b05400", "stroke-width": 1.5 })
        : draw("circle", { cx: x, cy: y, r: 4.5, fill: car.baseline ? "#1c1e22" : data.accent });
      const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
      title.textContent = `${car.name}: Cd ${car.cd.toFixed(4)}${car.outside ? " ▲ outside of the training designs" : ""}`;
      mark.append(title);
      mark.style.cursor = "pointer";
      mark.addEventListener("click", () => { location.hash = `row-${car.number}`; });
    }
  }
  across.addEventListener("change", plot);
  plot();

  // One renderer for all cars: browsers allow only a few. It is built when the first car is turned.
  let stage = null;

  function bytes(text) {
    const raw = atob(text);
    const array = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i++) array[i] = raw.charCodeAt(i);
    return array.buffer;
  }

  function geometryOf(view) {
    const placed = new Uint16Array(bytes(view.points));
    const cp = new Int8Array(bytes(view.cp));
    const points = new Float32Array(placed.length);
    const colours = new Float32Array(placed.length);
    const colour = new THREE.Color();
    for (let i = 0; i < cp.length; i++) {
      const [x, y, z] = [0, 1, 2].map((k) => view.low[k] + (placed[3 * i + k] / 65535) * (view.high[k] - view.low[k]) - (view.low[k] + view.high[k]) / 2);
      points.set([x, z, -y], 3 * i); // three.js has y up
      const place = Math.round((Math.max(-1, Math.min(1, cp[i] * 0.02)) + 1) * 0.5 * (data.colours.length - 1));
      colour.set(cp[i] === -128 ? "#9a9a9a" : data.colours[place]);
      colours.set([colour.r, colour.g, colour.b], 3 * i);
    }
    const geometry = new THREE.BufferGeometry();
    geometry.setAttribute("position", new THREE.BufferAttribute(points, 3));
    geometry.setAttribute("color", new THREE.BufferAttribute(colours, 3));
    geometry.setIndex(new THREE.BufferAttribute(new Uint32Array(bytes(view.faces)), 1));
    geometry.computeVertexNormals();
    return geometry;
  }

  function build() {
    const renderer = new THREE.WebGLRenderer({ antialias: true });
    const scene = new THREE.Scene();
    scene.background = new THREE.Color("#f3f3f3");
    scene.add(new THREE.HemisphereLight("#ffffff", "#d0d4da", 2.6));
    const light = new THREE.DirectionalLight("#ffffff", 1.2);
    scene.add(light);
    const camera = new THREE.PerspectiveCamera(28, 1, 0.1, 100);
    const controls = new THREE.OrbitControls(camera, renderer.domElement);
    const mesh = new THREE.Mesh(new THREE.BufferGeometry(), new THREE.MeshLambertMaterial({ vertexColors: true, side: THREE.DoubleSide }));
    scene.add(mesh);
    const render = () => {
      light.position.copy(camera.position);
      renderer.render(scene, camera);
    };
    controls.addEventListener("change", render);
    return { renderer, camera, controls, mesh, render, place: null };
  }

  function leave() {
    if (!stage || !stage.place) return;
    stage.place.classList.remove("turning");
    stage.place.querySelector(".turn").textContent = "Turn it in 3D";
    stage.renderer.domElement.remove();
    stage.place = null;
  }

  function turn(button) {
    const place = button.parentElement;
    if (stage && stage.place === place) return leave();
    leave();
    try {
      stage = stage || build();
    } catch (error) {
      button.textContent = "3D needs WebGL, which this browser lacks";
      button.disabled = true;
      return;
    }
    const { renderer, camera, controls, mesh } = stage;
    mesh.geometry.dispose();
    mesh.geometry = geometryOf(JSON.parse(document.getElementById(button.dataset.view).textContent));
    mesh.geometry.computeBoundingSphere();
    const radius = mesh.geometry.boundingSphere.radius;
    renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    renderer.setSize(place.clientWidth, place.clientHeight, false);
    camera.aspect = place.clientWidth / place.clientHeight;
    camera.updateProjectionMatrix();
    camera.position.set(-2.0, 1.0, 2.2).setLength((radius * 1.05) / Math.sin((14 * Math.PI) / 180));
    controls.target.set(0, 0, 0);
    place.append(renderer.domElement);
    place.classList.add("turning");
    button.textContent = "Back to the pictures";
    stage.place = place;
    controls.update();
    stage.render();
  }

  document.querySelectorAll(".turn").forEach((button) => button.addEventListener("click", () => turn(button)));
  addEventListener("beforeprint", leave);
})();
