// modbus-serial as the device that is polled and written: one float in each order of its bytes, words, a coil.
const { ServerTCP } = require('modbus-serial')

const bytes = Buffer.alloc(4)
bytes.writeFloatBE(81.5)
const orders = { ABCD: [0, 1, 2, 3], CDAB: [2, 3, 0, 1], BADC: [1, 0, 3, 2], DCBA: [3, 2, 1, 0] }
const holding = new Map([[20, 65531], [30, 400]])
Object.values(orders).forEach((order, i) => {
  const turned = Buffer.from(order.map((k) => bytes[k]))
  holding.set(2 * i, turned.readUInt16BE(0)).set(2 * i + 1, turned.readUInt16BE(2))
})
const coils = new Map([[0, true]])
const server = new ServerTCP({
  getHoldingRegister: (address) => holding.get(address) ?? 0,
  getInputRegister: (address) => 1000 + address,
  getCoil: (address) => coils.get(address) ?? false,
  getDiscreteInput: () => true,
  setRegister: (address, value) => { holding.set(address, value) },
  setCoil: (address, value) => { coils.set(address, value) },
}, { host: '127.0.0.1', port: Number(process.argv[2]), unitID: 1 })
server.on('initialized', () => console.log('ready'))
process.stdin.on('end', () => process.exit(0)).resume()
