import { Global, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import type { Logger } from '../common/logger.js';
import { LOGGER, NODE_CONFIG } from '../common/tokens.js';
import type { NodeConfig } from '../config/node-config.js';
import { DATABASE } from './database-token.js';
import { openDatabase, type Database } from './database.js';

import { StorageWatch } from './storage-watch.js';

/** Opens the database for all modules, and closes it last, when nobody writes any more. */
@Global()
@Module({
  providers: [
    {
      provide: DATABASE,
      useFactory: (config: NodeConfig, log: Logger): Database =>
        openDatabase(config.node.dataDir, log.child({ module: 'storage' })),
      inject: [NODE_CONFIG, LOGGER],
    },
    StorageWatch,
  ],
  exports: [DATABASE, StorageWatch],
})
export class StorageModule implements OnApplicationShutdown {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  onApplicationShutdown(): void {
    this.database.close();
  }
}
