import { HealthImplementation } from 'grpc-health-check';
import type { HealthService } from './health.service.js';

type GrpcServer = Parameters<HealthImplementation['addToServer']>[0];

/**
 * For `onLoadPackageDefinition` of Nest's gRPC transport: adds the standard service grpc.health.v1.Health, which says
 * SERVING of the server ('') and of `services` as long as the node is ready.
 */
export function grpcHealthHook(
  health: HealthService,
  services: readonly string[],
): (packageDefinition: unknown, server: GrpcServer) => void {
  return (_packageDefinition, server) => {
    const implementation = new HealthImplementation();
    health.onChange((ready) => {
      for (const service of ['', ...services]) {
        implementation.setStatus(service, ready ? 'SERVING' : 'NOT_SERVING');
      }
    });
    implementation.addToServer(server);
  };
}
