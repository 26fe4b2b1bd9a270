import deploy from './jest-deploy-fleet.ts';
await deploy(); console.log('ok '+process.env['ENTANGLE_TEST_FLEET']);
setInterval(()=>{},1000);
