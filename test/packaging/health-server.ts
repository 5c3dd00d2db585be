import { spawn } from 'node:child_process';

/** An HTTP server in a process of its own that answers one path with a status, so that a test may block while it is asked. */
export async function answering(path: string, status: number): Promise<{ port: number } & AsyncDisposable> {
  const program = `
    const server = require('node:http').createServer((request, response) => {
      response.statusCode = request.url === ${JSON.stringify(path)} ? ${status} : 404;
      response.end();
    });
    server.listen(0, '127.0.0.1', () => console.log(server.address().port));
    process.stdin.on('end', () => process.exit()).resume();`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['pipe', 'pipe', 'inherit'] });
  const port = await new Promise<number>((resolve) => child.stdout.once('data', (chunk: Buffer) => resolve(Number(chunk))));
  return { port, [Symbol.asyncDispose]: async () => void child.kill() };
}
