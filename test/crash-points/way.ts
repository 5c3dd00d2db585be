import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way to a server that can be cut. */
export interface Way {
  /** The server's address, by this way. */
  readonly url: string;
  /** Refuses and cuts connections, or lets them pass again. */
  block(blocked: boolean): void;
  close(): void;
}

/** Opens a way to the server that a URL names. */
export async function openWay(url: string): Promise<Way> {
  const { hostname, port } = new URL(url);
  const open = new Set<Socket>();
  let blocked = false;
  const server = createServer((near) => {
    if (blocked) return near.destroy();
    const far = connect(Number(port), hostname);
    for (const [one, other] of [[near, far], [far, near]] as const) {
      open.add(one);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        open.delete(one);
        other.destroy();
      });
    }
    return undefined;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => open.forEach((socket) => socket.destroy());
  const near = new URL(url);
  near.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: near.href,
    block: (now) => {
      blocked = now;
      if (now) cut();
    },
    close: () => {
      server.close();
      cut();
    },
  };
}
