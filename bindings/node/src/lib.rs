//! H-OS for Node.
