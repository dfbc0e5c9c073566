import type { ServerDuplexStream } from '@grpc/grpc-js';
import { Controller } from '@nestjs/common';
import { GrpcStreamCall } from '@nestjs/microservices';
import { GrpcChannel } from './grpc-channel.js';
import { PeersService } from './peers.service.js';

/** The accepting end of gRPC sessions. */
@Controller()
export class GrpcServerController {
  constructor(private readonly peers: PeersService) {}

  @GrpcStreamCall('PeerService', 'connect')
  connect(call: ServerDuplexStream<Uint8Array, Uint8Array>): void {
    this.peers.acceptInbound(new GrpcChannel(call));
  }
}
