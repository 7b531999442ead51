// node-opcua as the server that is polled: numbers of every kind, a text, a node of bad status, accounts.
const { OPCUAServer, Variant, VariantArrayType, DataType, StatusCodes } = require('node-opcua')

const rows = [
  ['P1_TS', 'Double', 81.5], ['P1_PS', 'Float', 0.625], ['T_STN', 'Int16', -5], ['P1_VOL', 'UInt32', 4000000000],
  ['P1_ENERGY', 'Int64', [0, 1234567]], ['CP1_RUN', 'Boolean', true], ['NAME', 'String', 'S07'],
]
const start = async () => {
  const server = new OPCUAServer({
    port: Number(process.argv[2]), resourcePath: '/station', allowAnonymous: true,
    userManager: { isValidUser: (user, password) => user === 'reader' && password === 'secret' },
  })
  await server.initialize()
  const ns = server.engine.addressSpace.getOwnNamespace()
  const station = ns.addObject({ organizedBy: server.engine.addressSpace.rootFolder.objects, browseName: 'Station' })
  const add = (name, dataType, get) => ns.addVariable({
    componentOf: station, browseName: name, nodeId: `s=Station.${name}`, dataType, minimumSamplingInterval: 1000, value: { get },
  })
  for (const [name, type, value] of rows) {
    add(name, type, () => new Variant({ dataType: DataType[type], arrayType: VariantArrayType.Scalar, value }))
  }
  add('P1_PR', 'Double', () => StatusCodes.BadSensorFailure)
  await server.start()
  console.log('ready')
}
start().catch((e) => { console.error(e); process.exit(1) })
process.stdin.on('end', () => process.exit(0)).resume()
