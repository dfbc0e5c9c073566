import { GenericContainer, getContainerRuntimeClient, type WaitStrategy } from 'testcontainers';
import { labelsOf, outputOf, type Container, type Output } from './docker-engine.js';
import { waitFor } from './wait.js';

/** A network that a container is part of, and under which names the others find it there. */
export interface Place {
  readonly network: string;
  readonly aliases: readonly string[];
}

/** Whoever starts a container waits for it, so that its log is still there to be shown when it does not come up. */
const NO_WAIT: WaitStrategy = {
  waitUntilReady: () => Promise.resolve(),
  withStartupTimeout: () => NO_WAIT,
  isStartupTimeoutSet: () => true,
  getStartupTimeout: () => 0,
};

/** A container as docker-compose.yml runs it: nothing writable but its volume and /tmp, no capabilities. */
export class HardenedContainer extends GenericContainer {
  readonly #later: Place[] = [];

  constructor(
    image: string,
    private readonly run: string,
    name: string,
  ) {
    super(image);
    this.withName(name).withWaitStrategy(NO_WAIT).withTmpFs({ '/tmp': 'rw,noexec,nosuid,size=64m' });
    this.withDroppedCapabilities('ALL').withSecurityOpt('no-new-privileges');
    this.hostConfig.ReadonlyRootfs = true;
  }

  /** @param places the first is the one that published ports lead to, if its name sorts first. */
  withPlaces(first: Place, ...later: readonly Place[]): this {
    // Not withNetworkAliases: it would leave the container on Docker's default network too.
    this.withNetworkMode(first.network);
    this.createOpts.NetworkingConfig = { EndpointsConfig: { [first.network]: { Aliases: [...first.aliases] } } };
    this.#later.push(...later);
    return this;
  }

  /** Publishes a port on a free port of loopback, another one at each start. */
  withLoopbackPort(port: number): this {
    this.withExposedPorts(port);
    this.hostConfig.PortBindings[`${port}/tcp`] = [{ HostIp: '127.0.0.1', HostPort: '' }];
    return this;
  }

  /** For tests of what the image itself leaves writable. */
  withWritableRoot(): this {
    this.hostConfig.ReadonlyRootfs = false;
    return this;
  }

  /** The engine starts a process for each health check, which costs many containers on a small machine much of its CPU. */
  withoutHealthCheck(): this {
    this.createOpts.Healthcheck = { Test: ['NONE'] };
    return this;
  }

  protected override async beforeContainerCreated(): Promise<void> {
    this.withLabels(await labelsOf(this.run));
  }

  protected override async containerCreated(id: string): Promise<void> {
    for (const place of this.#later) await connect(id, place);
  }
}

export async function containerById(id: string): Promise<Container> {
  return (await getContainerRuntimeClient()).container.getById(id);
}

/** Adds a container, running or not, to a network. */
export async function connect(id: string, { network, aliases }: Place): Promise<void> {
  const { container } = await getContainerRuntimeClient();
  const config = { Container: id, EndpointConfig: { Aliases: [...aliases] } };
  await container.dockerode.getNetwork(network).connect(config);
}

export async function disconnect(id: string, network: string): Promise<void> {
  const { container } = await getContainerRuntimeClient();
  await container.dockerode.getNetwork(network).disconnect({ Container: id });
}

/** Starts a container that is expected to end by itself, waits for that, and removes it. */
export async function runToEnd(
  container: GenericContainer,
  limitMs = 30_000,
): Promise<Output & { readonly exitCode: number; readonly health: string | undefined }> {
  const started = await containerById((await container.withWaitStrategy(NO_WAIT).start()).getId());
  try {
    const state = await waitFor(
      'the container ends',
      async () => {
        const { State } = await started.inspect();
        return State.Status === 'exited' && State;
      },
      limitMs,
    );
    return { ...(await outputOf(started)), exitCode: state.ExitCode, health: state.Health?.Status };
  } finally {
    await started.remove({ force: true, v: true });
  }
}
