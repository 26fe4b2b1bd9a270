import { endFleet } from './jest-deploy-fleet.ts';

export default endFleet;
