import { endFleet } from './deploy-fleet.ts';

export default endFleet;
