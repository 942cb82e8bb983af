//! A layered layout: boxes in rows, arrows from row to row, each label in a slot of its own.
//!
//! An arrow's label, and every row that an arrow passes, take part in the layout as things with a width. So no label can lie
//! on another, and no arrow can go through a box: inside a row everything stands side by side, and arrows bend only between
//! rows. The same input gives the same numbers: there is no chance in it, and no function that machines compute differently.

/// A box to be placed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    /// Its width.
    pub(super) width: f64,
    /// Its height.
    pub(super) height: f64,
    /// What stands to the right of it, such as loops and their labels.
    pub(super) beside: f64,
}

/// An arrow to be drawn between two different boxes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub(super) from: usize,
    pub(super) to: usize,
    /// The label's width and height; it stands to the right of the line.
    pub(super) label: (f64, f64),
}

/// A route: it starts and ends upright, and is upright wherever it passes a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Route {
    /// Upright pieces, in the arrow's direction: x, and y from and to.
    pub(super) pieces: Vec<(f64, f64, f64)>,
    /// The label's left end, and the middle of its height.
    pub(super) label: (f64, f64),
}

/// Where everything is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Placed {
    pub(super) width: f64,
    pub(super) height: f64,
    /// The middle of each box, and its width: more than was asked for where many arrows end.
    pub(super) boxes: Vec<(f64, f64, f64)>,
    pub(super) routes: Vec<Route>,
}

/// Between things in a row.
const BESIDE: f64 = 14.0;
/// Between arrows at a box.
const PORT: f64 = 18.0;
/// Rounds of ordering, and of placing.
const ORDERINGS: usize = 24;
const PLACINGS: usize = 60;
/// How much all rounds of ordering may cost together: a picture of so many lines that it is more is a thicket in any order.
const ORDERING_COST_MAX: usize = 48_000_000;
/// Rounds of placing where there is none of ordering.
const PLACINGS_FEW: usize = 6;

/// Something in a row: a box, a label, or where an arrow passes. It stands on `x`, from `x - left` to `x + right`.
struct Item {
    left: f64,
    right: f64,
    height: f64,
    x: f64,
    /// Neighbours in the row above and below: item, and the link that leads there.
    above: Vec<(usize, usize)>,
    below: Vec<(usize, usize)>,
    is_box: bool,
}

struct Plan {
    items: Vec<Item>,
    rows: Vec<Vec<usize>>,
    /// The items that a link passes, from its upper box to its lower one, both included; and which holds the label.
    ways: Vec<(Vec<usize>, usize)>,
    /// Whether the link was turned round to point downward.
    turned: Vec<bool>,
}

/// Places boxes and routes. Links of a box to itself are no part of it.
pub(super) fn place(sizes: &[Size], links: &[Link]) -> Placed {
    let turned = turned(sizes.len(), links);
    let ranks = ranks(sizes.len(), links, &turned);
    let mut plan = plan(sizes, links, turned, &ranks);
    let rounds = (ORDERING_COST_MAX / ordering_cost(&plan).max(1)).min(ORDERINGS);
    order(&mut plan, rounds);
    settle(&mut plan, if rounds == 0 { PLACINGS_FEW } else { PLACINGS });
    (0..3).for_each(|_| straighten(&mut plan));
    finish(&plan, sizes.len(), links)
}

/// The ends of a link, upper first.
fn ends(link: &Link, turned: bool) -> (usize, usize) {
    if turned { (link.to, link.from) } else { (link.from, link.to) }
}

/// Which links point back: those to a box that a walk from the first boxes is still inside of.
fn turned(count: usize, links: &[Link]) -> Vec<bool> {
    let mut turned = vec![false; links.len()];
    let mut state = vec![0u8; count];
    let mut out = vec![Vec::new(); count];
    links.iter().enumerate().for_each(|(i, link)| out[link.from].push((i, link)));
    for start in 0..count {
        if state[start] != 0 {
            continue;
        }
        // Each entry: a box, and how many of its links were followed.
        let mut path = vec![(start, 0usize)];
        state[start] = 1;
        while let Some((at, followed)) = path.pop() {
            match out[at].get(followed).copied() {
                None => state[at] = 2,
                Some((i, link)) => {
                    path.push((at, followed + 1));
                    match state[link.to] {
                        0 => {
                            state[link.to] = 1;
                            path.push((link.to, 0));
                        }
                        1 => turned[i] = true,
                        _ => {}
                    }
                }
            }
        }
    }
    turned
}

/// Rows of boxes: each as low as its longest way from above, then as near to what it leads to as that allows.
fn ranks(count: usize, links: &[Link], turned: &[bool]) -> Vec<usize> {
    let mut ranks = vec![0usize; count];
    let pairs: Vec<(usize, usize)> = links.iter().zip(turned).map(|(l, t)| ends(l, *t)).collect();
    // A round that changes nothing is the last one.
    for _ in 0..count {
        let before = ranks.clone();
        for (upper, lower) in &pairs {
            ranks[*lower] = ranks[*lower].max(ranks[*upper] + 1);
        }
        if ranks == before {
            break;
        }
    }
    for _ in 0..count {
        let before = ranks.clone();
        for at in 0..count {
            let up = pairs.iter().filter(|(_, lower)| *lower == at).count();
            let down = pairs.iter().filter(|(upper, _)| *upper == at).map(|(_, lower)| ranks[*lower] - 1).min();
            if let Some(rank) = down.filter(|rank| *rank > ranks[at] && up <= pairs.iter().filter(|(u, _)| *u == at).count()) {
                // The first box stays at the top.
                if up > 0 {
                    ranks[at] = rank;
                }
            }
        }
        if ranks == before {
            break;
        }
    }
    ranks
}

fn plan(sizes: &[Size], links: &[Link], turned: Vec<bool>, ranks: &[usize]) -> Plan {
    let rows = 2 * ranks.iter().copied().max().unwrap_or(0) + 1;
    let mut degree = vec![(0usize, 0usize); sizes.len()];
    for (link, turned) in links.iter().zip(&turned) {
        let (upper, lower) = ends(link, *turned);
        degree[upper].1 += 1;
        degree[lower].0 += 1;
    }
    let mut plan = Plan { items: Vec::new(), rows: vec![Vec::new(); rows], ways: Vec::new(), turned };
    for (at, size) in sizes.iter().enumerate() {
        let ports = degree[at].0.max(degree[at].1) as f64 * PORT;
        let half = size.width.max(ports) / 2.0;
        let new = |left, right, height, is_box| Item { left, right, height, x: 0.0, above: vec![], below: vec![], is_box };
        plan.items.push(new(half, half + size.beside, size.height, true));
        plan.rows[2 * ranks[at]].push(at);
    }
    for (i, link) in links.iter().enumerate() {
        let (upper, lower) = ends(link, plan.turned[i]);
        let (first, last) = (2 * ranks[upper] + 1, 2 * ranks[lower]);
        // The label stands where the arrow sets out.
        let labelled = if plan.turned[i] { last - 1 } else { first };
        let mut way = vec![upper];
        let mut label = 0;
        for row in first..last {
            let (right, height) = if row == labelled { (link.label.0 + 10.0, link.label.1) } else { (6.0, 0.0) };
            let item = Item { left: 6.0, right, height, x: 0.0, above: vec![], below: vec![], is_box: false };
            if row == labelled {
                label = plan.items.len();
            }
            way.push(plan.items.len());
            plan.rows[row].push(plan.items.len());
            plan.items.push(item);
        }
        way.push(lower);
        for pair in way.windows(2) {
            plan.items[pair[0]].below.push((pair[1], i));
            plan.items[pair[1]].above.push((pair[0], i));
        }
        plan.ways.push((way, label));
    }
    plan
}

/// What one round of ordering costs, more or less: each line between two rows is held against each other one, and what stands in a
/// row is looked up among everything.
fn ordering_cost(plan: &Plan) -> usize {
    let lines = plan.rows.iter().map(|row| row.iter().map(|item| plan.items[*item].above.len()).sum::<usize>());
    lines.map(|lines| lines * lines).sum::<usize>() + plan.rows.len() * plan.items.len()
}

/// Orders rows so that few arrows cross: by the middle of their neighbours, and by swapping where that helps; the best is kept.
fn order(plan: &mut Plan, rounds: usize) {
    if rounds == 0 {
        return;
    }
    let mut best = (crossings(plan), plan.rows.clone());
    for round in 0..rounds {
        let down = round % 2 == 0;
        let count = plan.rows.len();
        for step in 1..count {
            let row = if down { step } else { count - 1 - step };
            let beside = if down { row - 1 } else { row + 1 };
            let places = places(plan, beside);
            let wanted: Vec<(f64, usize)> = plan.rows[row]
                .iter()
                .enumerate()
                .map(|(place, item)| {
                    let of = if down { &plan.items[*item].above } else { &plan.items[*item].below };
                    let sum: usize = of.iter().map(|(other, _)| places[*other]).sum();
                    (if of.is_empty() { place as f64 } else { sum as f64 / of.len() as f64 }, *item)
                })
                .collect();
            let mut sorted = wanted;
            sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
            plan.rows[row] = sorted.into_iter().map(|(_, item)| item).collect();
        }
        swap(plan);
        let now = crossings(plan);
        if now < best.0 {
            best = (now, plan.rows.clone());
        }
    }
    plan.rows = best.1;
}

fn places(plan: &Plan, row: usize) -> Vec<usize> {
    let mut places = vec![0; plan.items.len()];
    for (place, item) in plan.rows[row].iter().enumerate() {
        places[*item] = place;
    }
    places
}

/// Swaps neighbours in a row where fewer arrows then cross.
fn swap(plan: &mut Plan) {
    for _ in 0..4 {
        let mut changed = false;
        for row in 0..plan.rows.len() {
            let above = row.checked_sub(1).map(|above| places(plan, above));
            let below = (row + 1 < plan.rows.len()).then(|| places(plan, row + 1));
            for place in 1..plan.rows[row].len() {
                let (a, b) = (plan.rows[row][place - 1], plan.rows[row][place]);
                let cross = |left: usize, right: usize| {
                    let of = |places: &Option<Vec<usize>>, left: &[(usize, usize)], right: &[(usize, usize)]| {
                        places.as_ref().map_or(0, |p| {
                            left.iter().flat_map(|(l, _)| right.iter().map(move |(r, _)| (p[*l] > p[*r]) as usize)).sum::<usize>()
                        })
                    };
                    let (l, r) = (&plan.items[left], &plan.items[right]);
                    of(&above, &l.above, &r.above) + of(&below, &l.below, &r.below)
                };
                if cross(b, a) < cross(a, b) {
                    plan.rows[row].swap(place - 1, place);
                    changed = true;
                }
            }
        }
        if !changed {
            return;
        }
    }
}

fn crossings(plan: &Plan) -> usize {
    let mut count = 0;
    for row in 1..plan.rows.len() {
        let (upper, lower) = (places(plan, row - 1), places(plan, row));
        let lines: Vec<(usize, usize)> = plan.rows[row]
            .iter()
            .flat_map(|item| plan.items[*item].above.iter().map(|(other, _)| (upper[*other], lower[*item])))
            .collect();
        for (i, a) in lines.iter().enumerate() {
            count += lines[i + 1..].iter().filter(|b| (a.0 < b.0 && a.1 > b.1) || (a.0 > b.0 && a.1 < b.1)).count();
        }
    }
    count
}

/// Where at its box a link ends, as an offset from the middle: in the order of where it comes from.
fn port(plan: &Plan, item: usize, link: usize, upward: bool) -> f64 {
    if !plan.items[item].is_box {
        return 0.0;
    }
    let of = if upward { &plan.items[item].above } else { &plan.items[item].below };
    let mine = of.iter().find(|(_, l)| *l == link).map_or(f64::NEG_INFINITY, |(other, _)| plan.items[*other].x);
    let place = of.iter().filter(|(other, l)| plan.items[*other].x.total_cmp(&mine).then(l.cmp(&link)).is_lt()).count();
    (place as f64 - (of.len() as f64 - 1.0) / 2.0) * PORT
}

/// Moves everything to where its neighbours are, as far as the order of its row allows.
fn settle(plan: &mut Plan, rounds: usize) {
    for row in 0..plan.rows.len() {
        let mut x = 0.0;
        for item in plan.rows[row].clone() {
            x += plan.items[item].left;
            plan.items[item].x = x;
            x += plan.items[item].right + BESIDE;
        }
    }
    for round in 0..rounds {
        let count = plan.rows.len();
        let last = round + 4 >= rounds;
        for step in 0..count {
            let row = if round % 2 == 0 { step } else { count - 1 - step };
            let mut wanted = Vec::with_capacity(plan.rows[row].len());
            for item in &plan.rows[row] {
                // Coming down, what is above says where; at the end both do.
                let (mut sum, mut weight) = (0.0, 0.0);
                for (upward, of) in [(true, &plan.items[*item].above), (false, &plan.items[*item].below)] {
                    let pull = if last || (round % 2 == 0) == upward { 1.0 } else { 0.25 };
                    for (other, link) in of {
                        // A line that only passes should be straight; it pulls harder.
                        let straight = if plan.items[*other].is_box || plan.items[*item].is_box { 1.0 } else { 6.0 };
                        let from = plan.items[*other].x + port(plan, *other, *link, !upward);
                        sum += pull * straight * (from - port(plan, *item, *link, upward));
                        weight += pull * straight;
                    }
                }
                wanted.push(if weight > 0.0 { (sum / weight, weight) } else { (plan.items[*item].x, 0.01) });
            }
            apart(plan, row, &wanted);
        }
    }
}

/// The places nearest to the wanted ones (by least squares) that keep a row's order and distances.
fn apart(plan: &mut Plan, row: usize, wanted: &[(f64, f64)]) {
    let mut offset = 0.0;
    let mut offsets = Vec::with_capacity(wanted.len());
    let items = plan.rows[row].clone();
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            offset += plan.items[items[place - 1]].right + BESIDE + plan.items[*item].left;
        }
        offsets.push(offset);
    }
    // Blocks of things that touch: the sum of what they want, their weight, and how many.
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
    for (place, (x, weight)) in wanted.iter().enumerate() {
        blocks.push(((x - offsets[place]) * weight, *weight, 1));
        while blocks.len() > 1 {
            let (b, a) = (blocks[blocks.len() - 1], blocks[blocks.len() - 2]);
            if a.0 / a.1 <= b.0 / b.1 {
                break;
            }
            blocks.truncate(blocks.len() - 2);
            blocks.push((a.0 + b.0, a.1 + b.1, a.2 + b.2));
        }
    }
    let mut place = 0;
    for (sum, weight, count) in blocks {
        for _ in 0..count {
            plan.items[items[place]].x = sum / weight + offsets[place];
            place += 1;
        }
    }
}

/// Makes each line as straight as what stands beside it allows, in line with one of its ends where that is possible.
fn straighten(plan: &mut Plan) {
    let mut row_of = vec![(0, 0); plan.items.len()];
    for (row, items) in plan.rows.iter().enumerate() {
        items.iter().enumerate().for_each(|(place, item)| row_of[*item] = (row, place));
    }
    // How far an item may move between its neighbours.
    let room = |plan: &Plan, item: usize| {
        let ((row, place), at) = (row_of[item], &plan.items[item]);
        let before = place.checked_sub(1).map(|p| &plan.items[plan.rows[row][p]]);
        let after = plan.rows[row].get(place + 1).map(|i| &plan.items[*i]);
        let from = before.map_or(f64::NEG_INFINITY, |b| b.x + b.right + BESIDE + at.left);
        (from, after.map_or(f64::INFINITY, |a| a.x - a.left - BESIDE - at.right))
    };
    let mut longest: Vec<usize> = (0..plan.ways.len()).collect();
    longest.sort_by_key(|way| std::cmp::Reverse(plan.ways[*way].0.len()));
    for link in longest {
        let way = plan.ways[link].0.clone();
        let (Some((first, rest)), Some(last)) = (way.split_first(), way.last()) else { continue };
        let inner = &rest[..rest.len() - 1];
        let ends = [plan.items[*first].x + port(plan, *first, link, false), plan.items[*last].x + port(plan, *last, link, true)];
        let mut start = 0;
        while start < inner.len() {
            let (mut from, mut to) = room(plan, inner[start]);
            let mut end = start + 1;
            while let Some(item) = inner.get(end) {
                let (a, b) = room(plan, *item);
                if a.max(from) > b.min(to) {
                    break;
                }
                (from, to) = (a.max(from), b.min(to));
                end += 1;
            }
            let near = |x: f64| x.max(from).min(to.max(from));
            let mut wanted = Vec::new();
            if start == 0 {
                wanted.push(ends[0]);
            }
            if end == inner.len() {
                wanted.push(ends[1]);
            }
            let middle = inner[start..end].iter().map(|item| plan.items[*item].x).sum::<f64>() / (end - start) as f64;
            wanted.push(middle);
            wanted.sort_by(|a, b| (near(*a) - a).abs().total_cmp(&(near(*b) - b).abs()));
            let x = near(wanted[0]);
            inner[start..end].iter().for_each(|item| plan.items[*item].x = x);
            start = end;
        }
    }
}

fn finish(plan: &Plan, boxes: usize, links: &[Link]) -> Placed {
    let left = plan.items.iter().map(|i| i.x - i.left).fold(f64::INFINITY, f64::min);
    let left = if left.is_finite() { left } else { 0.0 };
    let width = plan.items.iter().map(|i| i.x + i.right).fold(left, f64::max) - left;
    let x = |item: usize| plan.items[item].x - left;
    // Between rows there is as much room as the widest bend needs.
    let mut tops = Vec::with_capacity(plan.rows.len());
    let mut heights = Vec::with_capacity(plan.rows.len());
    let mut y = 0.0;
    for row in &plan.rows {
        if !tops.is_empty() {
            let bends = row.iter().flat_map(|item| {
                plan.items[*item].above.iter().map(|(other, link)| {
                    (x(*item) + port(plan, *item, *link, true) - x(*other) - port(plan, *other, *link, false)).abs()
                })
            });
            let widest = bends.fold(0.0, f64::max);
            y += (14.0 + widest * 0.14).min(64.0);
        }
        let height = row.iter().map(|item| plan.items[*item].height).fold(0.0, f64::max);
        tops.push(y);
        heights.push(height);
        y += height;
    }
    let mut row_of = vec![0; plan.items.len()];
    for (row, items) in plan.rows.iter().enumerate() {
        items.iter().for_each(|item| row_of[*item] = row);
    }
    let middle = |item: usize| tops[row_of[item]] + heights[row_of[item]] / 2.0;
    let routes = links.iter().enumerate().map(|(i, _)| {
        let (way, label) = &plan.ways[i];
        let mut pieces = Vec::with_capacity(way.len());
        for (place, item) in way.iter().enumerate() {
            let (row, half) = (row_of[*item], plan.items[*item].height / 2.0);
            if place == 0 {
                // A lower box in a row of higher ones: the arrow bends where the row ends.
                let at = x(*item) + port(plan, *item, i, false);
                pieces.push((at, middle(*item) + half, tops[row] + heights[row]));
            } else if place + 1 == way.len() {
                let at = x(*item) + port(plan, *item, i, true);
                pieces.push((at, tops[row], middle(*item) - half));
            } else {
                pieces.push((x(*item), tops[row], tops[row] + heights[row]));
            }
        }
        if plan.turned[i] {
            pieces.reverse();
            pieces.iter_mut().for_each(|(_, from, to)| std::mem::swap(from, to));
        }
        Route { pieces, label: (x(*label) + 8.0, middle(*label)) }
    });
    let routes = routes.collect();
    Placed {
        width,
        height: y,
        boxes: (0..boxes).map(|item| (x(item), middle(item), 2.0 * plan.items[item].left)).collect(),
        routes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(count: usize) -> Vec<Size> {
        vec![Size { width: 80.0, height: 34.0, beside: 0.0 }; count]
    }

    fn link(from: usize, to: usize) -> Link {
        Link { from, to, label: (70.0, 16.0) }
    }

    /// Everything that must hold of any layout: boxes and labels apart, lines outside boxes.
    fn hold(sizes: &[Size], links: &[Link]) -> Placed {
        let placed = place(sizes, links);
        assert_eq!(placed, place(sizes, links), "twice the same");
        let mut areas: Vec<(f64, f64, f64, f64)> = placed
            .boxes
            .iter()
            .zip(sizes)
            .map(|((x, y, w), s)| (x - w / 2.0, y - s.height / 2.0, x + w / 2.0 + s.beside, y + s.height / 2.0))
            .collect();
        let boxes = areas.len();
        for (route, link) in placed.routes.iter().zip(links) {
            let (x, y) = route.label;
            areas.push((x, y - link.label.1 / 2.0, x + link.label.0, y + link.label.1 / 2.0));
        }
        for (i, a) in areas.iter().enumerate() {
            assert!(a.0 >= -0.01 && a.1 >= -0.01 && a.2 <= placed.width + 0.01 && a.3 <= placed.height + 0.01, "{a:?}");
            for b in &areas[i + 1..] {
                assert!(a.2 <= b.0 || b.2 <= a.0 || a.3 <= b.1 || b.3 <= a.1, "{a:?} lies on {b:?}");
            }
        }
        for (route, link) in placed.routes.iter().zip(links) {
            let (first, last) = (route.pieces[0], route.pieces[route.pieces.len() - 1]);
            for ((to_x, to_y), at) in [((first.0, first.1), link.from), ((last.0, last.2), link.to)] {
                let (x, y, width) = placed.boxes[at];
                assert!((to_x - x).abs() <= width / 2.0 && ((to_y - y).abs() - sizes[at].height / 2.0).abs() < 0.01);
            }
            // Upright pieces pass no box; bends lie between rows, where there are none.
            for (x, from, to) in &route.pieces[1..route.pieces.len() - 1] {
                let (from, to) = (from.min(*to), from.max(*to));
                for a in &areas[..boxes] {
                    assert!(*x < a.0 || *x > a.2 || to <= a.1 || from >= a.3, "{x} {from} {to} goes through {a:?}");
                }
            }
        }
        placed
    }

    #[test]
    fn nothing_lies_on_anything_else() {
        hold(&[], &[]);
        hold(&sizes(1), &[]);
        hold(&sizes(2), &[link(0, 1), link(1, 0), link(0, 1)]);
        let all: Vec<Link> = (0..6).flat_map(|a| (0..6).filter(move |b| *b != a).map(move |b| link(a, b))).collect();
        hold(&sizes(6), &all);
        let chain: Vec<Link> = (0..12).map(|a| link(a, a + 1)).chain([link(0, 12), link(12, 3)]).collect();
        let placed = hold(&sizes(13), &chain);
        assert!(placed.boxes[0].1 < placed.boxes[12].1, "what follows stands below");
    }

    #[test]
    fn any_graph_is_laid_out() {
        // A simple sequence of pseudo-random graphs, the same on every machine.
        let mut state = 1u64;
        let mut next = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        for _ in 0..150 {
            let count = 1 + next(12);
            let mut boxes = sizes(count);
            boxes.iter_mut().for_each(|b| b.beside = 20.0 * next(4) as f64);
            let links: Vec<Link> = (0..next(30)).map(|_| link(next(count), next(count))).filter(|l| l.from != l.to).collect();
            hold(&boxes, &links);
        }
    }
}
