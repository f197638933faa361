//! The last lines, in memory.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Line;

pub(super) struct Ring {
    lines: VecDeque<Arc<Line>>,
    most: usize,
}

impl Ring {
    pub(super) fn new(most: usize) -> Self {
        Self {
            lines: VecDeque::new(),
            most: most.max(1),
        }
    }

    pub(super) fn push(&mut self, line: Arc<Line>) {
        if self.lines.len() == self.most {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    pub(super) fn lines(&self) -> Vec<Arc<Line>> {
        self.lines.iter().cloned().collect()
    }
}
