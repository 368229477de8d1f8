// Stands in for the native module that ends a process whose parent died; here the launcher ends the process group.
exports.start = () => {};
exports.exit = (code) => process.exit(code ?? 0);
