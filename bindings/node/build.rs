//! How the addon is linked. On Linux napi's own rules keep it from being unloaded: Node lets go of an addon with the last worker
//! thread that has it, and an engine may be closing then.

fn main() {
    napi_build::setup();
}
