// Preloaded into the application processes that a script starts. They are in a process group of their own, so that a
// Ctrl-C reaches only the script, which stops them in order; and when the script itself is killed, this channel closes.
if (process.channel) {
  process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel.unref();
}
