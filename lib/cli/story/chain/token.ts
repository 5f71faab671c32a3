/** A token to be stolen: the least ERC-20 there is. */

import { type Abi, type Hex, parseAbi } from 'viem';

/**
 * Creation code of the following, by solc 0.8.37 with the optimizer at 1 run, `appendCBOR: false` and
 * `revertStrings: strip`; compiled beforehand, so that nobody needs a compiler.
 *
 * ```solidity
 * pragma solidity 0.8.37;
 * contract Token {
 *   event Transfer(address indexed from, address indexed to, uint256 value);
 *   mapping(address => uint256) public balanceOf;
 *   constructor(address holder, uint256 supply) {
 *     balanceOf[holder] = supply;
 *     emit Transfer(address(0), holder, supply);
 *   }
 *   function transfer(address to, uint256 value) external returns (bool) {
 *     balanceOf[msg.sender] -= value;
 *     balanceOf[to] += value;
 *     emit Transfer(msg.sender, to, value);
 *     return true;
 *   }
 * }
 * ```
 */
const BYTECODE: Hex = `0x${[
  '6080604052348015600e575f5ffd5b50604051610282380380610282833981016040819052602b91607b565b',
  '6001600160a01b0382165f81815260208181526040808320859055518481527fddf252ad1be2c89b69c2b068',
  'fc378daa952ba7f163c4a11628f55a4df523b3ef910160405180910390a3505060b0565b5f5f604083850312',
  '15608b575f5ffd5b82516001600160a01b038116811460a0575f5ffd5b602093909301519294929350505056',
  '5b6101c5806100bd5f395ff3fe608060405234801561000f575f5ffd5b5060043610610034575f3560e01c80',
  '6370a0823114610038578063a9059cbb1461006a575b5f5ffd5b610057610046366004610143565b5f602081',
  '9052908152604090205481565b6040519081526020015b60405180910390f35b61007d610078366004610163',
  '565b61008d565b6040519015158152602001610061565b335f90815260208190526040812080548391908390',
  '6100ad90849061019f565b90915550506001600160a01b0383165f9081526020819052604081208054849290',
  '6100d99084906101b2565b90915550506040518281526001600160a01b0384169033907fddf252ad1be2c89b',
  '69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef9060200160405180910390a35060015b92915050',
  '565b80356001600160a01b038116811461013e575f5ffd5b919050565b5f60208284031215610153575f5ffd',
  '5b61015c82610128565b9392505050565b5f5f60408385031215610174575f5ffd5b61017d83610128565b94',
  '6020939093013593505050565b634e487b7160e01b5f52601160045260245ffd5b8181038181111561012257',
  '61012261018b565b808201808211156101225761012261018b56',
].join('')}`;

/** What it takes to deploy and to call it. */
export const TOKEN: { readonly abi: Abi; readonly bytecode: Hex } = {
  abi: parseAbi([
    'constructor(address holder, uint256 supply)',
    'function transfer(address to, uint256 value) returns (bool)',
  ]),
  bytecode: BYTECODE,
};
