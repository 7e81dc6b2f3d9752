//! Recorded aging: KubeEdge, LLM serving and two machines of Alibaba.

use std::path::Path;

use anyhow::Result;

pub(super) fn print(root: &Path) -> Result<()> {
    let _ = root;
    Ok(())
}
