import { type Finding, failure, ok } from './check.ts';

export const checkNode = async (): Promise<Finding> =>
  Number.parseInt(process.versions.node, 10) >= 24
    ? ok('Node', process.versions.node)
    : failure('Node', process.versions.node, 'Node 24 is needed; ./scripts/start brings it.');
