// A roofline of one level: MACs a cycle over MACs a byte, a point for each layer.

/** The picture for a slope {level, both, oneWay, pjPerByte} and the peak in MACs a cycle; null without a point. */
function roofline(layers, slope, peak, chosen, onchoose) {
  const points = layers.flatMap((layer, place) => {
    const part = layer.result.parts?.find((own) => own.name === slope.level);
    const bytes = part ? part.energy / slope.pjPerByte : 0;
    return bytes > 0 ? [{place, layer, x: layer.macs / bytes, y: layer.macs / layer.result.cycles}] : [];
  });
  if (!points.length) return null;
  const [width, height] = [520, 330];
  const field = {left: 64, right: width - 14, top: 14, bottom: height - 46};
  const knee = peak / slope.both;
  const [lowX, highX] = extent([...points.map((own) => own.x), knee / 2, knee * 2]);
  const [lowY] = extent([...points.map((own) => own.y), peak]);
  const x = makeScale(roomy([lowX, highX], true), [field.left, field.right], true);
  const y = makeScale(roomy([Math.min(lowY, peak / 10), peak], true, 0.08), [field.bottom, field.top], true);
  const roof = (bandwidth) => {
    const [start, end] = x.domain;
    const [low, high] = y.domain;
    const from = Math.max(start, low / bandwidth);
    return `M${x(from)},${y(Math.min(from * bandwidth, peak, high))}L${x(Math.min(end, peak / bandwidth))},${y(Math.min(end * bandwidth, peak))}L${x(end)},${y(Math.min(end * bandwidth, peak))}`;
  };
  const nodes = axes(x, y, field, [`operational intensity at ${slope.level} [MACs/byte]`, "throughput [MACs/cycle]"]);
  if (slope.oneWay < slope.both) nodes.push(svg("path", {class: "roof one-way", d: roof(slope.oneWay)}));
  nodes.push(svg("path", {class: "roof", d: roof(slope.both)}));
  const marks = points.map((own) => tipped(svg("circle", {class: own.place === chosen ? "layer-point chosen-layer" : "layer-point", cx: x(own.x), cy: y(own.y),
    r: own.place === chosen ? 7 : 5, onclick: () => onchoose(own.place)}), () => [own.layer.label, `${figure(own.x, 3)} MACs/byte`, `${figure(own.y)} MACs/cycle`, boundText(own.layer.result)]));
  const text = `Roofline at ${slope.level}: ${points.map((own) => `${own.layer.label} ${figure(own.x, 3)} MACs/byte, ${figure(own.y)} MACs/cycle`).join("; ")}`;
  return svg("svg", {class: "picture", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": text}, nodes, marks);
}

/** MACs that the variant can do in a cycle, from any layer: its rate is that share of them which the utilization says. */
function peakOf(layers) {
  for (const {macs, result} of layers) {
    if (result.cycles && result.utilization) return Math.round(macs / (result.cycles * result.utilization));
  }
  return null;
}
