import { Container } from "@cloudflare/containers";

/** The secrets of the Worker that the container needs. */
export interface ContainerEnv {
  readonly COMPILER_SECRET?: string;
}

/** Starts the Node compiler of node/Dockerfile in a container, and lets it sleep after minutes without a request. */
export class ContainerHost extends Container<ContainerEnv> {
  override defaultPort = 8788;
  override sleepAfter = "5m";
  override enableInternet = false;
  override pingEndpoint = "localhost/health";

  constructor(ctx: ConstructorParameters<typeof Container<ContainerEnv>>[0], env: ContainerEnv) {
    super(ctx, env);
    this.envVars = { COMPILER_SECRET: env.COMPILER_SECRET ?? "", COMPILER_PORT: String(this.defaultPort) };
    // Without internet nothing is intercepted. The package would demand that the Worker exports its proxy.
    Object.assign(this, { applyOutboundInterception: async () => {} });
  }
}
