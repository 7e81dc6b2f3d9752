//! Nodes: where replicas find a place, how many there are, what they cost.

use homeostat_core::draw::Key;
use homeostat_core::{Instant, Span};

use crate::scenario::{NodePool, Sampler};

/// One node.
#[derive(Debug, Clone)]
struct Node {
    pool: usize,
    up: bool,
    gone: bool,
    cpu_free: u32,
    memory_free: u32,
    tenants: u32,
    empty_since: Instant,
    ordered: Instant,
}

/// The answer to a request for a place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Placed {
    /// On this node, which works at this speed; without pools, on none.
    On(Option<u32>, f64),
    /// A node was ordered and comes up then.
    Ordered(u32, Instant),
    /// No place and no node to be had: wait until something changes.
    Full,
}

/// All nodes of a cluster.
#[derive(Debug)]
pub(crate) struct Nodes {
    pools: Vec<NodePool>,
    provision: Vec<Sampler>,
    nodes: Vec<Node>,
    key: Key,
    scored_from: Instant,
    cost: f64,
}

impl Nodes {
    pub(crate) fn new(pools: &[NodePool], key: Key, start: Instant, scored_from: Instant) -> Self {
        let mut new = Self {
            pools: pools.to_vec(),
            provision: pools.iter().map(|p| p.provision.sampler()).collect(),
            nodes: Vec::new(),
            key: key.child("nodes"),
            scored_from,
            cost: 0.0,
        };
        for (pool, spec) in pools.iter().enumerate() {
            for _ in 0..spec.min {
                let node = new.add(pool, start);
                new.nodes[node as usize].up = true;
            }
        }
        new
    }

    fn add(&mut self, pool: usize, now: Instant) -> u32 {
        self.nodes.push(Node {
            pool,
            up: false,
            gone: false,
            cpu_free: self.pools[pool].cpu_milli,
            memory_free: self.pools[pool].memory_mib,
            tenants: 0,
            empty_since: now,
            ordered: now,
        });
        (self.nodes.len() - 1) as u32
    }

    /// Finds a place: on the fullest node that has room, else on a further node of the cheapest pool.
    pub(crate) fn place(&mut self, cpu: u32, memory: u32, now: Instant) -> Placed {
        match self.place_now(cpu, memory) {
            Placed::Full => self.grow(cpu, memory, now),
            placed => placed,
        }
    }

    /// Finds a place among the nodes that are up.
    pub(crate) fn place_now(&mut self, cpu: u32, memory: u32) -> Placed {
        if self.pools.is_empty() {
            return Placed::On(None, 1.0);
        }
        let fits = |n: &&Node| !n.gone && n.cpu_free >= cpu && n.memory_free >= memory;
        let best = self.nodes.iter().filter(|n| n.up).filter(fits).map(|n| n.cpu_free).min();
        let found =
            best.and_then(|free| self.nodes.iter().position(|n| n.up && fits(&n) && n.cpu_free == free));
        if let Some(index) = found {
            let node = &mut self.nodes[index];
            node.cpu_free -= cpu;
            node.memory_free -= memory;
            node.tenants += 1;
            return Placed::On(Some(index as u32), self.pools[node.pool].speed);
        }
        Placed::Full
    }

    fn grow(&mut self, cpu: u32, memory: u32, now: Instant) -> Placed {
        let count = |pool: usize| self.nodes.iter().filter(|n| !n.gone && n.pool == pool).count() as u32;
        let open = |pool: &usize| {
            let spec = &self.pools[*pool];
            spec.cpu_milli >= cpu && spec.memory_mib >= memory && count(*pool) < spec.max
        };
        let price = |pool: &usize| self.pools[*pool].price_per_hour;
        let pools = (0..self.pools.len()).filter(open);
        let Some(pool) = pools.min_by(|a, b| price(a).total_cmp(&price(b))) else {
            return Placed::Full;
        };
        let node = self.add(pool, now);
        let wait = self.provision[pool].draw(&mut self.key.at(u64::from(node)));
        Placed::Ordered(node, now + wait)
    }

    /// Capacity of ordered nodes that is not spoken for, so that one waiting replica orders one node.
    pub(crate) fn coming(&self, cpu: u32) -> u32 {
        let room = |n: &Node| n.cpu_free / cpu.max(1);
        self.nodes.iter().filter(|n| !n.up && !n.gone).map(room).sum()
    }

    pub(crate) fn up(&mut self, node: u32, now: Instant) {
        let node = &mut self.nodes[node as usize];
        node.up = true;
        node.empty_since = now;
    }

    /// Gives a place back. Returns when the node may go if it stays empty.
    pub(crate) fn leave(&mut self, node: u32, cpu: u32, memory: u32, now: Instant) -> Option<Instant> {
        let node = &mut self.nodes[node as usize];
        node.cpu_free += cpu;
        node.memory_free += memory;
        node.tenants -= 1;
        node.empty_since = now;
        (node.tenants == 0 && !node.gone).then(|| now + self.pools[node.pool].idle)
    }

    /// Gives a node back that has been empty for long enough.
    pub(crate) fn reap(&mut self, index: u32, now: Instant) {
        let node = &self.nodes[index as usize];
        let pool = &self.pools[node.pool];
        let alike = self.nodes.iter().filter(|n| !n.gone && n.pool == node.pool).count() as u32;
        let idle = node.up && !node.gone && node.tenants == 0 && now.since(node.empty_since) >= pool.idle;
        if idle && alike > pool.min {
            self.lose(index, now);
        }
    }

    /// A node is gone. One that always exists is replaced by another at once.
    pub(crate) fn lose(&mut self, index: u32, now: Instant) {
        self.settle(index, now);
        self.nodes[index as usize].gone = true;
    }

    fn settle(&mut self, index: u32, now: Instant) {
        let node = &self.nodes[index as usize];
        let paid = now.since(node.ordered.max(self.scored_from));
        self.cost += paid.as_hours_f64() * self.pools[node.pool].price_per_hour;
    }

    /// Node-hours times price up to `end`.
    pub(crate) fn close(&mut self, end: Instant) -> f64 {
        for index in 0..self.nodes.len() {
            if !self.nodes[index].gone {
                self.settle(index as u32, end);
            }
        }
        self.cost
    }

    /// Longest time after which an empty node is looked at.
    pub(crate) fn idle(&self, node: u32) -> Span {
        self.pools[self.nodes[node as usize].pool].idle
    }
}
