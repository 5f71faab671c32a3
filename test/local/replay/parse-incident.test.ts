import { describe, expect, test } from 'vitest';
import { parseIncident, type Tables } from '../../../lib/local/replay/parse-incident.ts';

const HEADER =
  'time_utc,chain,asset,token_address,decimals,amount,amount_usd,from,to,tx_hash,source_url,precision';
const FIRST = '2023-01-01T00:00:00Z,ethereum,ETH,,18,10,16000,,,0xaa,https://a.example,exact';
const TIMELINE_HEADER = 'incident,kind,event,time_utc,precision,source_url';
const ASSET_HEADER =
  'incident,chain,asset,token_address,decimals,price_usd,traffic_weight,precision,source_url';
const DAI = '0x6b175474e89094c44da98b954eedeac495271d0f';

function parse(rows: readonly string[], more: Partial<Tables> = {}) {
  const outflows = { file: 'x-2023.csv', text: [HEADER, ...rows].join('\n') };
  return parseIncident({ name: 'x-2023', outflows, ...more });
}

function table(file: string, ...lines: readonly string[]) {
  return { file, text: lines.join('\n') };
}

describe('parseIncident', () => {
  test('default', () => {
    expect(parse([FIRST])).toMatchInlineSnapshot(`
      {
        "assets": [
          {
            "asset": "eip155:1/slip44:60",
            "chain": "eip155:1",
            "decimals": 18,
            "floorPriceUsd": "1600",
            "priceSource": "stated",
            "symbol": "ETH",
            "trafficWeight": 0,
          },
        ],
        "entry": "outflow.observed",
        "keyDomain": "x-2023-hot",
        "milestones": {
          "acknowledgementMs": undefined,
          "disclosureMs": undefined,
          "firstTheftMs": 1672531200000,
          "outsideAlertMs": undefined,
          "suspensionMs": undefined,
        },
        "name": "x-2023",
        "note": "",
        "outflows": [
          {
            "account": "eip155:1:0x38842ccd46fc5e14387c4067bf861205bfee1e0a",
            "aggregate": false,
            "amount": 10000000000000000000n,
            "asset": "eip155:1/slip44:60",
            "atMs": 1672531200000,
            "decimals": 18,
            "destination": "eip155:1:0xe58b4b72e366a686e27732c7c08667d5f6f460cb",
            "line": 2,
            "notionalMicroUsd": 16000000000n,
            "place": "top",
            "precision": "exact",
            "sourceUrl": "https://a.example",
            "symbol": "ETH",
            "synthetic": [
              "wallet",
              "destination",
            ],
            "transaction": "0xaa",
            "wallet": "x-ethereum",
          },
        ],
        "title": "x-2023",
        "wallets": [
          {
            "account": "eip155:1:0x38842ccd46fc5e14387c4067bf861205bfee1e0a",
            "chain": "eip155:1",
            "keyDomain": "x-2023-hot",
            "name": "x-ethereum",
            "synthetic": true,
          },
        ],
      }
    `);
  });

  test('behavior: rows without a time are spread between first theft and suspension, in order', () => {
    const timeline = table(
      'timeline.csv',
      TIMELINE_HEADER,
      'other,suspension,s,2023-01-01T09:00:00Z,exact,u',
      'x-2023,suspension,s,2023-01-01T00:30:00Z,exact,u',
      'x-2023,suspension,later,2023-01-01T05:00:00Z,exact,u',
      'x-2023,resumption,r,2023-01-02,day,u',
    );
    const untimed = ',bsc,BNB,,18,1,200,,,,u,aggregate';
    const { outflows, milestones } = parse([untimed, FIRST, untimed], { timeline });
    expect(milestones.suspensionMs).toBe(Date.parse('2023-01-01T00:30:00Z'));
    expect(outflows.map(({ line, atMs }) => [line, new Date(atMs).toISOString()])).toEqual([
      [3, '2023-01-01T00:00:00.000Z'],
      [2, '2023-01-01T00:10:00.000Z'],
      [4, '2023-01-01T00:20:00.000Z'],
    ]);
    expect(outflows.map(({ synthetic }) => synthetic.includes('time'))).toEqual([
      false,
      true,
      true,
    ]);
  });

  test('behavior: the first theft may be known from the timeline alone', () => {
    const text = `${TIMELINE_HEADER}\nx-2023,first-theft,f,2023-01-01T00:00:00Z,exact,u`;
    const timeline = { file: 'timeline.csv', text };
    const { outflows } = parse([',bsc,BNB,,18,1,200,,,,u,aggregate'], { timeline });
    expect(outflows[0]?.atMs).toBe(Date.parse('2023-01-01T00:30:00Z'));
  });

  test('behavior: a published sum stays what it is, whatever the price', () => {
    const { outflows, assets } = parse([FIRST.replace(',10,16000,', ',3,7900000,')]);
    expect(outflows[0]?.notionalMicroUsd).toBe(7_900_000_000_000n);
    expect(assets[0]).toMatchObject({
      floorPriceUsd: '2633333.333333333333',
      priceSource: 'stated',
    });
  });

  test('behavior: of two stated prices the lower is the floor', () => {
    const { assets } = parse([FIRST, FIRST.replace('16000', '15000')]);
    expect(assets[0]?.floorPriceUsd).toBe('1500');
  });

  test('behavior: a price of assets.csv sizes an amount, and an amount is derived from it', () => {
    const assets = table(
      'assets.csv',
      ASSET_HEADER,
      `x-2023,ethereum,DAI,${DAI},18,0.3,5,estimated,none`,
    );
    const rows = [
      FIRST,
      `,ethereum,DAI,${DAI},18,7,,,,,u,exact`,
      `,ethereum,DAI,${DAI},18,,1,,,,u,exact`,
    ];
    const { outflows } = parse(rows, { assets });
    expect(outflows[1]).toMatchObject({ amount: 7n * 10n ** 18n, notionalMicroUsd: 2_100_000n });
    // 1 / 0.3 does not end: rounded up, so that the derived amount is worth no less than stated.
    expect(outflows[2]).toMatchObject({
      amount: 3_333_333_333_333_333_334n,
      notionalMicroUsd: 1_000_000n,
    });
    expect(outflows[1]?.synthetic).not.toContain('amount');
    expect(outflows[2]?.synthetic).toContain('amount');
  });

  test('behavior: what is known in USD only counts micro-USD under an id of its own', () => {
    const rows = [
      FIRST,
      ',tron,mixed (TRX + TRC-20),,,,11.5,,,,u,aggregate',
      ',xdag,XDAG,,,,1700000,,,,u,aggregate',
    ];
    const { outflows, assets } = parse(rows);
    expect(
      outflows.slice(1).map(({ asset, amount, aggregate }) => [asset, amount, aggregate]),
    ).toEqual([
      ['tron:0x2b6653dc/mixed:usd', 11_500_000n, true],
      ['xdag:mainnet/usd:XDAG', 1_700_000_000_000n, true],
    ]);
    expect(assets.slice(1)).toMatchObject([
      { decimals: 6, floorPriceUsd: '1', priceSource: 'unit' },
      { decimals: 6, floorPriceUsd: '1', priceSource: 'unit' },
    ]);
  });

  test('behavior: an amount without any price keeps its amount and has no size', () => {
    const { outflows, assets } = parse([FIRST, ',ethereum,ABC,,,12,,,,,u,exact']);
    expect(outflows[1]).toMatchObject({ asset: 'eip155:1/symbol:abc', amount: 12n * 10n ** 18n });
    expect(outflows[1]?.notionalMicroUsd).toBeUndefined();
    expect(outflows[1]?.synthetic).toContain('decimals');
    expect(assets[1]).toMatchObject({ priceSource: 'none', trafficWeight: 0 });
  });

  test('behavior: stated wallets are kept apart from each other and from the stand-in', () => {
    const paid = (from: string) => `,ethereum,ETH,,18,1,,${from},,,u,exact`;
    const [a, b] = [`0x${'AA'.repeat(20)}`, `0x${'bb'.repeat(20)}`];
    const { wallets, outflows } = parse([FIRST, paid(a), paid(b), paid(a)]);
    expect(wallets.map(({ name, synthetic }) => [name, synthetic])).toEqual([
      ['x-ethereum', true],
      ['x-ethereum-2', false],
      ['x-ethereum-3', false],
    ]);
    expect(outflows.map(({ wallet }) => wallet)).toEqual([
      'x-ethereum',
      'x-ethereum-2',
      'x-ethereum-3',
      'x-ethereum-2',
    ]);
    expect(wallets[1]?.account).toBe(`eip155:1:${a.toLowerCase()}`);
  });

  test('behavior: incidents.csv gives the way in and the key domain', () => {
    const header = 'incident,title,entry,key_domain,note';
    const incidents = table('incidents.csv', header, 'x-2023,X,withdrawal.reported,x-bridge,n');
    const incident = parse([FIRST], { incidents });
    expect(incident).toMatchObject({
      title: 'X',
      entry: 'withdrawal.reported',
      keyDomain: 'x-bridge',
    });
    expect(incident.wallets[0]?.keyDomain).toBe('x-bridge');
  });

  test.each([
    [
      'an unknown chain',
      FIRST.replace('ethereum', 'near'),
      'line 2, field chain: must be one of ethereum',
    ],
    [
      'a time that does not exist',
      FIRST.replace('01-01T', '02-30T'),
      'line 2, field time_utc: must be a UTC',
    ],
    [
      'a signed amount',
      FIRST.replace(',10,', ',-10,'),
      'line 2, field amount: must be a plain decimal',
    ],
    ['an amount of zero', FIRST.replace(',10,', ',0.0,'), 'line 2, field amount: must be above 0'],
    [
      'an amount below its unit',
      FIRST.replace(',18,10,', ',0,0.5,'),
      'field amount: "0.5" has more than 0',
    ],
    [
      'too many decimals',
      FIRST.replace(',18,', ',37,'),
      'line 2, field decimals: must be at most 36',
    ],
    [
      'an impossible address',
      FIRST.replace('16000,,', '16000,0x1,'),
      'field from: "eip155:1:0x1" is not',
    ],
    [
      'an impossible token',
      FIRST.replace('ETH,,', 'ETH,0x1,'),
      'field token_address: "eip155:1/erc20:0x1"',
    ],
    [
      'neither amount nor USD',
      FIRST.replace('10,16000', ','),
      'field amount: amount or amount_usd',
    ],
    [
      'USD below a micro-USD',
      FIRST.replace('16000', '1.0000001'),
      'field amount_usd: "1.0000001" has more',
    ],
    [
      'no source',
      FIRST.replace('https://a.example', ''),
      'line 2, field source_url: must not be empty',
    ],
    [
      'an unknown precision',
      FIRST.replace('exact', 'sure'),
      'line 2, field precision: must be exact',
    ],
    ['a missing field', FIRST.replace('0xaa,', ''), 'x-2023.csv, line 2: 11 fields instead of 12'],
    [
      'no time at all',
      FIRST.replace('2023-01-01T00:00:00Z', ''),
      'line 2, field time_utc: no row has a time',
    ],
  ])('error: %s', (_, row, message) => {
    expect(() => parse([row])).toThrow(
      expect.objectContaining({ name: 'Incident.InvalidRowError' }),
    );
    expect(() => parse([row])).toThrow(message);
  });

  test('error: a bad row of a shared table is named with its file', () => {
    const timeline = table('timeline.csv', TIMELINE_HEADER, 'x-2023,party,p,,exact,u');
    expect(() => parse([FIRST], { timeline })).toThrow(
      'timeline.csv, line 2, field kind: must be a kind',
    );
    const dated = table('timeline.csv', TIMELINE_HEADER, 'x-2023,other,p,2023-13-01,day,u');
    expect(() => parse([FIRST], { timeline: dated })).toThrow(
      'field time_utc: must be a UTC time, a day',
    );
  });
});
