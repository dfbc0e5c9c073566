/**
 * A terminal that closes ends what writes to it, cleanly. Otherwise SIGHUP is ignored, as nohup asks: Node.js forgets that
 * the signal was ignored, but nohup also leads the output away from the terminal.
 */
export function handleHangUp(): void {
  const isAtTerminal = process.stdout.isTTY || process.stderr.isTTY;
  process.on('SIGHUP', () => {
    if (isAtTerminal) process.kill(process.pid, 'SIGTERM');
  });
}
