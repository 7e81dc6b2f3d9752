// Decisions: one row per policy, a stem up or down per change, the reasons on hover or by arrow key.

const LANE = 46;
const laneHeight = () => rowHeight(LANE, Math.max(1, view.selected.size));
const laneState = { policy: null, mark: null };

const visibleMarks = (policy) => policy.marks.filter(([at]) => at >= view.from && at <= view.to);

function drawLane(frame, chart) {
  const policies = chosen();
  const lane = laneHeight();
  let shown = 0,
    drawn = 0,
    made = 0;
  policies.forEach((policy, row) => {
    const middle = frame.top + row * lane + lane / 2;
    const marks = visibleMarks(policy);
    drawn += policy.marks.length;
    shown += marks.length;
    made += policy.marksTotal;
    const largest = marks.reduce((m, [, from, to]) => Math.max(m, Math.abs(to - from)), 1);
    let path = "";
    for (const [at, from, to] of marks) {
      path += `M${round(frame.x(at))} ${middle}v${round(-Math.sign(to - from) * stem(to - from, largest))}`;
    }
    frame.behind.append(
      svg("line", { class: "axis", x1: frame.left, x2: frame.right, y1: middle, y2: middle }),
    );
    addPath(frame, `stem hue${hue(policy)}${marks.length < 300 ? " thick" : ""}`, path);
    frame.front.append(
      svg("text", { class: "label", x: frame.left + 5, y: middle - lane / 2 + 12 }, policy.name),
      svg("text", { x: frame.left - 7, y: middle - 7, "text-anchor": "end" }, `+${largest}`),
      svg("text", { x: frame.left - 7, y: middle + 15, "text-anchor": "end" }, `−${largest}`),
    );
  });
  const { policy, mark } = laneState;
  if (mark && view.selected.has(policy.index) && mark[0] >= view.from && mark[0] <= view.to) {
    const middle = frame.top + policies.indexOf(policy) * lane + lane / 2;
    frame.layer.append(svg("circle", { class: "picked", cx: frame.x(mark[0]), cy: middle, r: 5 }));
  }
  chart.key.replaceChildren(
    `change of the desired count, up or down; ${shown} in view` +
      (drawn < made
        ? `; the file holds the ${significant(drawn, 9)} largest of ${significant(made, 9)} changes`
        : ""),
  );
}

const stem = (change, largest) => 5 + (laneHeight() / 2 - 9) * (Math.abs(change) / largest);

// The mark nearest to a pixel position, within reach of the pointer.
function markAt(frame, x, y) {
  const policy = chosen()[Math.floor((y - frame.top) / laneHeight())];
  if (!policy) return null;
  let found = null,
    reach = 9;
  for (const mark of visibleMarks(policy)) {
    const distance = Math.abs(frame.x(mark[0]) - x);
    if (distance < reach) {
      reach = distance;
      found = mark;
    }
  }
  return found && { policy, mark: found };
}

// The next mark to the right (1) or left (-1) of the one picked, over all rows.
function nextMark(direction) {
  const all = chosen().flatMap((policy) => visibleMarks(policy).map((mark) => ({ policy, mark })));
  all.sort((a, b) => a.mark[0] - b.mark[0] || a.policy.index - b.policy.index);
  const position = all.findIndex((m) => m.mark === laneState.mark);
  return all[position < 0 ? (direction > 0 ? 0 : all.length - 1) : position + direction] || null;
}

// The reason of a change: a sentence with gaps, and the numbers that go into them.
function reason(sentence, numbers) {
  const values = numbers.split(" ");
  return data.reasons[sentence].replace(/\u0001/g, () => values.shift());
}

function markText({ policy, mark: [at, from, to, sentence, numbers] }) {
  const text = reason(sentence, numbers);
  return { head: moment(at), line: `${policy.name}: ${from} → ${to} replicas`, text };
}
