import t from 'tap'
import { isPublicAddress } from '../../src/links/address.js'

/** By what they are: IANA's registries of special-purpose addresses. */
const REFUSED: Record<string, string[]> = {
  unspecified: ['0.0.0.0', '0.1.2.3', '::'],
  loopback: ['127.0.0.1', '127.255.255.254', '::1'],
  private: ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.0.1'],
  'carrier-grade NAT': ['100.64.0.1', '100.127.255.255'],
  'link-local, with the metadata of clouds': ['169.254.169.254', '169.254.170.2', 'fe80::1', 'fe80::1%eth0'],
  'the metadata of Alibaba and Oracle': ['100.100.100.200', '192.0.0.192'],
  'unique local, with the metadata of EC2': ['fc00::1', 'fd00:ec2::254', 'fdff::1'],
  'site-local': ['fec0::1'],
  multicast: ['224.0.0.1', '239.255.255.255', 'ff02::1'],
  'reserved and broadcast': ['192.0.0.8', '240.0.0.1', '255.255.255.255', '192.88.99.1'],
  benchmarking: ['198.18.0.1', '198.19.255.255', '2001:2::1'],
  documentation: ['192.0.2.1', '198.51.100.1', '203.0.113.1', '2001:db8::1', '3fff::1'],
  'mapped and compatible': ['::ffff:127.0.0.1', '::ffff:8.8.8.8', '::ffff:7f00:1', '::127.0.0.1', '::8.8.8.8'],
  'translated (NAT64)': ['64:ff9b::7f00:1', '64:ff9b::808:808', '64:ff9b:1::a00:1', '::ffff:0:127.0.0.1'],
  'tunnels (6to4, Teredo)': ['2002:7f00:1::', '2002:808:808::1', '2001::1'],
  'not given out to hosts': ['100::1', '4000::1', '5f00::1', '8000::1', 'e000::1'],
  'no address': ['', 'localhost', '127.1', '2130706433', '0x7f.1', '[::1]', '8.8.8.8:80', '8.8.8.8/8', '1.2.3'],
}

t.test('addresses of special use are not public', async t => {
  for (const [kind, addresses] of Object.entries(REFUSED))
    for (const address of addresses) t.equal(isPublicAddress(address), false, `${kind}: ${address}`)
})

t.test('the neighbours of those ranges are public', async t => {
  for (const address of [
    ...[
      '8.8.8.8',
      '1.1.1.1',
      '9.255.255.255',
      '11.0.0.0',
      '100.63.255.255',
      '100.128.0.0',
      '126.255.255.255',
      '128.0.0.0',
    ],
    ...['169.253.255.255', '169.255.0.0', '172.15.255.255', '172.32.0.0', '192.167.255.255', '192.169.0.0'],
    ...[
      '198.17.255.255',
      '198.20.0.0',
      '223.255.255.255',
      '2606:4700::1111',
      '2a00:1450:4001::200e',
      '2001:4860:4860::8888',
    ],
  ])
    t.equal(isPublicAddress(address), true, address)
})
