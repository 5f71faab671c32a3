/** First topics of the logs that are looked for: keccak-256 of each event's signature (Solidity ABI). */

import type { Change } from '../../domain/block.ts';
import type { Hex } from './wire.ts';

/** ERC-20 and ERC-721, https://eips.ethereum.org/EIPS/eip-20 and eip-721: `Transfer(address,address,uint256)`. */
export const TRANSFER: Hex = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef';
/** `Approval(address,address,uint256)`: an ERC-20 permit shows as one too. */
export const APPROVAL: Hex = '0x8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925';
/** `ApprovalForAll(address,address,bool)`. */
export const APPROVAL_FOR_ALL: Hex =
  '0x17307eab39ab6107e8899845ad3d59bd9653f200f220920489ca2b5937696c31';
/** ERC-1155, https://eips.ethereum.org/EIPS/eip-1155: `TransferSingle(address,address,address,uint256,uint256)`. */
export const TRANSFER_SINGLE: Hex =
  '0xc3d58168c5ae7397731d063d5bbf3d657854427343f4c083240f7aacaa2d0f62';
/** `TransferBatch(address,address,address,uint256[],uint256[])`. */
export const TRANSFER_BATCH: Hex =
  '0x4a39dc06d4c0dbc64b70af90fd698a233a518aa5d07e595d983b8c0526c8f7fb';
/** Where Permit2 stands on every chain (https://docs.uniswap.org/contracts/v4/deployments). */
export const PERMIT2: Hex = '0x000000000022d473030f116ddee9f6b43ac78ba3';
/** Permit2: `Approval(address,address,address,uint160,uint48)`: owner, token, spender. */
export const PERMIT2_APPROVAL: Hex =
  '0xda9fa7c1b00402c17d0161b249b1ab8bbec047c5a52207b9c112deffd817036b';
/** Permit2: `Permit(address,address,address,uint160,uint48,uint48)`: owner, token, spender. */
export const PERMIT2_PERMIT: Hex =
  '0xc6a377bfc4eb120024a8ac08eef205be16b817020812c73223e81d1bdb9708ec';

/** What a contract wallet says of itself, and which word names whom it is about. */
export type ControlTopic = { readonly change: Change; readonly word?: number };

/**
 * Safe (`ISafe.sol`, `OwnerManager.sol`, `ModuleManager.sol`, 1.1 to 1.5), ERC-1967
 * (https://eips.ethereum.org/EIPS/eip-1967) and ERC-173. `word` counts through the indexed
 * parameters and then the data, since versions differ in which are indexed.
 */
export const CONTROL: ReadonlyMap<Hex, ControlTopic> = new Map<Hex, ControlTopic>([
  // AddedOwner(address)
  [
    '0x9465fa0c962cc76958e6373a993326400c1c94f8be2fe3a952adfa7f60b2ea26',
    { change: 'owner-added', word: 0 },
  ],
  // RemovedOwner(address)
  [
    '0xf8d49fc529812e9a7c5c50e69c20f0dccc0db8fa95c98bc58cc9a4f1c1299eaf',
    { change: 'owner-removed', word: 0 },
  ],
  // ChangedThreshold(uint256)
  [
    '0x610f7ff2b304ae8903c3de74c60c6ab1f7d6226b3f52c5161905bb5ad4039c93',
    { change: 'threshold-changed' },
  ],
  // EnabledModule(address)
  [
    '0xecdf3a3effea5783a3c4c2140e677577666428d44ed9d474a0b3a4c9943f8440',
    { change: 'module-enabled', word: 0 },
  ],
  // DisabledModule(address)
  [
    '0xaab4fa2b463f581b2b32cb3b7e3b704b9ce37cc209b5fb4d77e593ace4054276',
    { change: 'module-disabled', word: 0 },
  ],
  // ChangedGuard(address)
  [
    '0x1151116914515bc0891ff9047a6cb32cf902546f83066499bcf8ba33d2353fa2',
    { change: 'guard-changed', word: 0 },
  ],
  // ChangedModuleGuard(address)
  [
    '0xcd1966d6be16bc0c030cc741a06c6e0efaf8d00de2c8b6a9e11827e125de8bb8',
    { change: 'guard-changed', word: 0 },
  ],
  // ChangedFallbackHandler(address)
  [
    '0x5ac6c46c93c8d0e53714ba3b53db3e7c046da994313d7ed0d192028bc7c228b0',
    { change: 'fallback-changed', word: 0 },
  ],
  // ChangedMasterCopy(address)
  [
    '0x75e41bc35ff1bf14d81d1d2f649c0084a0f974f9289c803ec9898eeec4c8d0b8',
    { change: 'implementation-changed', word: 0 },
  ],
  // Upgraded(address)
  [
    '0xbc7cd75a20ee27fd9adebab32041f755214dbc6bffa90cc0225b39da2e5c2d3b',
    { change: 'implementation-changed', word: 0 },
  ],
  // BeaconUpgraded(address)
  [
    '0x1cf3b03a6cf19fa2baba4df148e9dcabedea7f8a5c07840e207e5c089be95d3e',
    { change: 'implementation-changed', word: 0 },
  ],
  // AdminChanged(address,address)
  [
    '0x7e644d79422f17c01e4894b5f4f588d331ebfa28653d42ae832dc59e38c9798f',
    { change: 'admin-changed', word: 1 },
  ],
  // OwnershipTransferred(address,address)
  [
    '0x8be0079c531659141344cd1fd0a4f28419497f9722a3daafe3b4186f6b6457e0',
    { change: 'owner-transferred', word: 1 },
  ],
]);

/** Topics whose first indexed parameter is the wallet. */
export const BY_FIRST: readonly Hex[] = [
  TRANSFER,
  APPROVAL,
  APPROVAL_FOR_ALL,
  PERMIT2_APPROVAL,
  PERMIT2_PERMIT,
];
/** Topics whose second indexed parameter is the wallet. */
export const BY_SECOND: readonly Hex[] = [TRANSFER_SINGLE, TRANSFER_BATCH];
